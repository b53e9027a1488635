"""Turn detection on appended sound. Its clock is the sound it was given: without frames nothing ends."""

from __future__ import annotations

import audioop
from dataclasses import dataclass
from typing import Any

from local.speech.ports import BYTES_PER_MS, FRAME_BYTES, VoiceActivity

FRAME_MS = FRAME_BYTES // BYTES_PER_MS
ONSET_MS = 60
# Real semantic detection judges the sentence; here eagerness stands for a pause.
_SEMANTIC_MS = {"low": 1_400, "medium": 900, "auto": 900, "high": 500}
# The detector's own ear says yes or no, so the threshold asks for loudness: -55 dBFS at the usual
# 0.5, which every voice on a phone line has, and a clear voice (-30 dBFS) at 1.
_LEAST_DBFS, _DBFS_OF_THRESHOLD = -80.0, 50.0
_FULL_SCALE = 32_768
_USUAL_THRESHOLD = 0.5


@dataclass(frozen=True, slots=True)
class Started:
    at_ms: int


@dataclass(frozen=True, slots=True)
class Stopped:
    """`sound` spans the utterance with its padding."""

    at_ms: int
    sound: bytes


@dataclass(frozen=True, slots=True)
class TimedOut:
    """Nobody has spoken since a reply was played; `sound` is the quiet."""

    start_ms: int
    at_ms: int
    sound: bytes


Found = Started | Stopped | TimedOut


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
        self._idle_since: int | None = None

    @property
    def total_ms(self) -> int:
        """Milliseconds ever appended."""
        return self._first_ms + len(self._sound) // BYTES_PER_MS

    @property
    def buffered_ms(self) -> int:
        return len(self._sound) // BYTES_PER_MS

    def append(self, sound: bytes, settings: dict[str, Any] | None) -> list[Found]:
        """What the new sound shows; without settings nothing is detected."""
        self._sound += sound
        found: list[Found] = []
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

    def reply_begins(self) -> None:
        """Nobody is expected to speak before it has been played."""
        self._idle_since = None

    def reply_made(self, playing_ms: int) -> None:
        """It will have been played in so many milliseconds: quiet counts from then on."""
        if self._speaking_since is None:
            self._idle_since = self.total_ms + playing_ms

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

    def _frame(self, frame: bytes, settings: dict[str, Any]) -> Found | None:
        now_ms = self._first_ms + self._examined // BYTES_PER_MS
        speech = self._activity.is_speech(frame)
        if self._speaking_since is None:
            return self._before_speech(frame, speech, now_ms, settings)
        self._quiet_ms = 0 if speech else self._quiet_ms + FRAME_MS
        if self._quiet_ms < _silence_ms(settings):
            return None
        sound = self._cut(self._speaking_since, now_ms)
        return Stopped(now_ms, sound)

    def _before_speech(
        self, frame: bytes, speech: bool, now_ms: int, settings: dict[str, Any]
    ) -> Found | None:
        begins = speech and _is_loud(frame, settings.get("threshold", _USUAL_THRESHOLD))
        self._speech_ms = self._speech_ms + FRAME_MS if begins else 0
        if self._speech_ms >= ONSET_MS:
            prefix_ms = settings.get("prefix_padding_ms", 300)
            self._speaking_since = max(self._first_ms, now_ms - ONSET_MS - prefix_ms)
            self._quiet_ms, self._idle_since = 0, None
            return Started(self._speaking_since)
        limit_ms = settings.get("idle_timeout_ms")
        if limit_ms is None or self._idle_since is None or now_ms - self._idle_since < limit_ms:
            return None
        start_ms = max(self._first_ms, self._idle_since)
        return TimedOut(start_ms, now_ms, self._cut(start_ms, now_ms))

    def _cut(self, start_ms: int, now_ms: int) -> bytes:
        """The sound since `start_ms`; the buffer begins anew after it."""
        start = (start_ms - self._first_ms) * BYTES_PER_MS
        sound = bytes(self._sound[start : self._examined])
        del self._sound[: self._examined]
        self._first_ms, self._examined = now_ms, 0
        self._speaking_since, self._idle_since, self._speech_ms = None, None, 0
        return sound

    def _forget(self, settings: dict[str, Any]) -> None:
        """Old silence is not kept: only what a padding or a timeout could still reach."""
        if self._speaking_since is not None:
            return
        keep_ms = settings.get("prefix_padding_ms", 300) + ONSET_MS
        if settings.get("idle_timeout_ms") is not None and self._idle_since is not None:
            keep_ms = max(keep_ms, self.total_ms - self._idle_since)
        surplus = self._examined - keep_ms * BYTES_PER_MS
        if surplus > FRAME_BYTES * 50:
            surplus -= surplus % FRAME_BYTES
            del self._sound[:surplus]
            self._examined -= surplus
            self._first_ms += surplus // BYTES_PER_MS


def _is_loud(frame: bytes, threshold: float) -> bool:
    least = _FULL_SCALE * 10 ** ((_LEAST_DBFS + _DBFS_OF_THRESHOLD * threshold) / 20)
    return audioop.rms(audioop.ulaw2lin(frame, 2), 2) >= least


def _silence_ms(settings: dict[str, Any]) -> int:
    if settings["type"] == "semantic_vad":
        return _SEMANTIC_MS[settings["eagerness"]]
    return int(settings["silence_duration_ms"])
