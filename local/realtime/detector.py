"""Turn detection on appended sound. Its clock is the sound it was given: without frames nothing ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from local.speech.ports import BYTES_PER_MS, FRAME_BYTES, VoiceActivity

FRAME_MS = FRAME_BYTES // BYTES_PER_MS
ONSET_MS = 60
# Real semantic detection judges the sentence; here eagerness stands for a pause.
_SEMANTIC_MS = {"low": 1_400, "medium": 900, "auto": 900, "high": 500}


@dataclass(frozen=True, slots=True)
class Started:
    at_ms: int


@dataclass(frozen=True, slots=True)
class Stopped:
    """`sound` spans the utterance with its padding."""

    at_ms: int
    sound: bytes


class Detector:
    """One session's input buffer with its voice detection."""

    def __init__(self, activity: VoiceActivity) -> None:
        self._activity = activity
        self._sound = bytearray()
        self._first_ms = 0
        self._examined = 0
        self._speech_ms = 0
        self._quiet_ms = 0
        self._speaking_since: int | None = None

    @property
    def total_ms(self) -> int:
        """Milliseconds ever appended."""
        return self._first_ms + len(self._sound) // BYTES_PER_MS

    @property
    def buffered_ms(self) -> int:
        return len(self._sound) // BYTES_PER_MS

    def append(self, sound: bytes, settings: dict[str, Any] | None) -> list[Started | Stopped]:
        """What the new sound shows; without settings nothing is detected."""
        self._sound += sound
        found: list[Started | Stopped] = []
        if settings is None:
            return found
        while len(self._sound) - self._examined >= FRAME_BYTES:
            frame = bytes(self._sound[self._examined : self._examined + FRAME_BYTES])
            self._examined += FRAME_BYTES
            event = self._frame(frame, settings)
            if event is not None:
                found.append(event)
        self._forget(settings)
        return found

    def take(self) -> bytes:
        """Everything buffered (a manual commit)."""
        sound = bytes(self._sound)
        self.clear()
        return sound

    def clear(self) -> None:
        self._first_ms = self.total_ms
        self._sound.clear()
        self._examined = 0
        self._speaking_since, self._speech_ms, self._quiet_ms = None, 0, 0

    def _frame(self, frame: bytes, settings: dict[str, Any]) -> Started | Stopped | None:
        now_ms = self._first_ms + self._examined // BYTES_PER_MS
        speech = self._activity.is_speech(frame)
        if self._speaking_since is None:
            self._speech_ms = self._speech_ms + FRAME_MS if speech else 0
            if self._speech_ms < ONSET_MS:
                return None
            prefix_ms = settings.get("prefix_padding_ms", 300)
            self._speaking_since = max(self._first_ms, now_ms - ONSET_MS - prefix_ms)
            self._quiet_ms = 0
            return Started(self._speaking_since)
        self._quiet_ms = 0 if speech else self._quiet_ms + FRAME_MS
        if self._quiet_ms < _silence_ms(settings):
            return None
        start = (self._speaking_since - self._first_ms) * BYTES_PER_MS
        sound = bytes(self._sound[start : self._examined])
        del self._sound[: self._examined]
        self._first_ms, self._examined = now_ms, 0
        self._speaking_since, self._speech_ms = None, 0
        return Stopped(now_ms, sound)

    def _forget(self, settings: dict[str, Any]) -> None:
        """Old silence is not kept: only what a padding could still reach."""
        if self._speaking_since is not None:
            return
        keep = (settings.get("prefix_padding_ms", 300) + ONSET_MS) * BYTES_PER_MS
        surplus = self._examined - keep
        if surplus > FRAME_BYTES * 50:
            surplus -= surplus % FRAME_BYTES
            del self._sound[:surplus]
            self._examined -= surplus
            self._first_ms += surplus // BYTES_PER_MS


def _silence_ms(settings: dict[str, Any]) -> int:
    if settings["type"] == "semantic_vad":
        return _SEMANTIC_MS[settings.get("eagerness", "auto")]
    return int(settings.get("silence_duration_ms", 500))
