"""Keeps what was spoken once: the same text in the same voice is the same sound."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from local.speech.pipe_frames import FrameBroken, PipeFrame, encode, read_frame
from local.speech.ports import Utterance, WordTiming

_SUFFIX = ".utterance"


@dataclass(frozen=True, slots=True)
class VoiceSettings:
    """How a speaker sounds. `recipe` changes whenever the same settings begin to give other
    bytes."""

    engine: str
    recipe: int
    speed: float
    pitch: float
    volume: float


class UtteranceCache:
    """The latest utterances in memory, all of them (up to `files_max`) in a folder that several
    processes may share.

    Files are written whole or not at all; one that cannot be read back counts as absent.
    """

    def __init__(
        self,
        folder: Path | None,
        *,
        memory_bytes_max: int = 32_000_000,
        files_max: int = 4_000,
    ) -> None:
        self._folder = folder
        self._memory_bytes_max = memory_bytes_max
        self._memory: OrderedDict[str, Utterance] = OrderedDict()
        self._memory_bytes = 0
        self._lock = threading.Lock()
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            _drop_oldest(folder, files_max)

    def recall(self, text: str, settings: VoiceSettings) -> Utterance | None:
        """From memory only; never touches the disk."""
        key = _key(text, settings)
        with self._lock:
            found = self._memory.get(key)
            if found is not None:
                self._memory.move_to_end(key)
            return found

    def load(self, text: str, settings: VoiceSettings) -> Utterance | None:
        """From the folder, and into memory. Reads a file: call it off the event loop."""
        if self._folder is None:
            return None
        utterance = _read(self._folder / (_key(text, settings) + _SUFFIX), text)
        if utterance is not None:
            self._remember(_key(text, settings), utterance)
        return utterance

    def store(self, text: str, settings: VoiceSettings, utterance: Utterance) -> None:
        """Into memory and the folder. Writes a file: call it off the event loop."""
        key = _key(text, settings)
        self._remember(key, utterance)
        if self._folder is not None:
            _write(self._folder, key, utterance)

    def _remember(self, key: str, utterance: Utterance) -> None:
        with self._lock:
            if key in self._memory:
                return
            self._memory[key] = utterance
            self._memory_bytes += len(utterance.sound)
            while self._memory_bytes > self._memory_bytes_max and len(self._memory) > 1:
                _, dropped = self._memory.popitem(last=False)
                self._memory_bytes -= len(dropped.sound)


def _key(text: str, settings: VoiceSettings) -> str:
    return hashlib.sha256(f"{settings!r}\n{text}".encode()).hexdigest()


def _read(path: Path, text: str) -> Utterance | None:
    try:
        with path.open("rb") as file:
            frame = read_frame(file.read)
    except (FileNotFoundError, FrameBroken, json.JSONDecodeError):
        return None
    if frame is None:
        return None
    return Utterance(text, frame.body, words_from_header(frame))


def _write(folder: Path, key: str, utterance: Utterance) -> None:
    words = [[each.word, each.end_ms] for each in utterance.words]
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
        file.write(encode(PipeFrame({"words": words}, utterance.sound)))
    os.replace(file.name, folder / (key + _SUFFIX))


def words_from_header(frame: PipeFrame) -> tuple[WordTiming, ...]:
    """The word timings that the voice worker and the cache files carry in their header."""
    return tuple(WordTiming(str(word), int(end_ms)) for word, end_ms in frame.header["words"])


def _drop_oldest(folder: Path, files_max: int) -> None:
    aged: list[tuple[float, Path]] = []
    for path in folder.glob(f"*{_SUFFIX}"):
        try:
            aged.append((path.stat().st_mtime, path))
        except FileNotFoundError:
            continue
    for _, path in sorted(aged)[: max(0, len(aged) - files_max)]:
        path.unlink(missing_ok=True)
