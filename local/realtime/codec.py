"""Sound formats of the service: inside, the emulator hears and speaks mu-law at 8 kHz."""

from __future__ import annotations

import audioop

_PCM_RATE_HZ, _RATE_HZ = 24_000, 8_000


class Codec:
    """One direction of one session; keeps the resampler's state between pieces."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._state: object = None
        self._rest = b""

    def again(self) -> Codec:
        """The same format, from the beginning of a sound."""
        return Codec(self.kind)

    def to_mulaw(self, sound: bytes) -> bytes:
        if self.kind == "audio/pcmu":
            return sound
        if self.kind == "audio/pcma":
            return audioop.lin2ulaw(audioop.alaw2lin(sound, 2), 2)
        whole = self._rest + sound
        self._rest = whole[len(whole) & ~1 :]
        linear, self._state = audioop.ratecv(
            whole[: len(whole) & ~1],
            2,
            1,
            _PCM_RATE_HZ,
            _RATE_HZ,
            self._state,  # type: ignore[arg-type]
        )
        return audioop.lin2ulaw(linear, 2)

    def from_mulaw(self, sound: bytes) -> bytes:
        if self.kind == "audio/pcmu":
            return sound
        linear = audioop.ulaw2lin(sound, 2)
        if self.kind == "audio/pcma":
            return audioop.lin2alaw(linear, 2)
        wider, self._state = audioop.ratecv(
            linear,
            2,
            1,
            _RATE_HZ,
            _PCM_RATE_HZ,
            self._state,  # type: ignore[arg-type]
        )
        return wider
