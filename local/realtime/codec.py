"""Sound formats of the service: inside, the emulator hears and speaks mu-law at 8 kHz."""

from __future__ import annotations

import audioop

import numpy as np

from local.speech.resampling import Samples, low_pass, zero_stuffed

_RATE_HZ = 24_000
_STEP = 3
"""24 kHz is three times 8 kHz."""
_TAPS = 191
"""8 ms, as at 16 kHz: the band ends as steeply."""


class _Filter:
    """The low-pass over a sound that comes in pieces; 4 ms late."""

    def __init__(self) -> None:
        self._tail: Samples = np.zeros(_TAPS - 1)

    def run(self, samples: Samples) -> Samples:
        joined = np.concatenate([self._tail, samples])
        self._tail = joined[-(_TAPS - 1) :]
        if not samples.size:
            return samples
        return np.asarray(np.convolve(joined, low_pass(_RATE_HZ, _TAPS), mode="valid"))


class Codec:
    """One direction of one session; keeps its state between pieces."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._filter = _Filter()
        self._rest = b""
        self._skip = 0

    def to_mulaw(self, sound: bytes) -> bytes:
        """Pieces may end in the middle of a sample."""
        if self.kind == "audio/pcmu":
            return sound
        if self.kind == "audio/pcma":
            return audioop.lin2ulaw(audioop.alaw2lin(sound, 2), 2)
        whole = self._rest + sound
        even = len(whole) & ~1
        self._rest = whole[even:]
        filtered = self._filter.run(_samples(whole[:even]))
        kept = filtered[self._skip :: _STEP]
        self._skip = (self._skip - filtered.size) % _STEP
        return audioop.lin2ulaw(_linear(kept), 2)

    def from_mulaw(self, sound: bytes) -> bytes:
        if self.kind == "audio/pcmu":
            return sound
        linear = audioop.ulaw2lin(sound, 2)
        if self.kind == "audio/pcma":
            return audioop.lin2alaw(linear, 2)
        return _linear(self._filter.run(zero_stuffed(_samples(linear), _STEP)))


def _samples(linear: bytes) -> Samples:
    return np.frombuffer(linear, dtype="<i2").astype(np.float64)


def _linear(samples: Samples) -> bytes:
    return np.clip(np.rint(samples), -32_768, 32_767).astype("<i2").tobytes()
