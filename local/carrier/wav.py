"""Mu-law sound as 16-bit WAV files at 8 kHz."""

from __future__ import annotations

import audioop
import io
import wave

_RATE_HZ, _SAMPLE_BYTES = 8_000, 2


def mono_wav(*voices: bytes) -> bytes:
    """Voices of one length, mixed."""
    mixed = audioop.ulaw2lin(voices[0], _SAMPLE_BYTES)
    for voice in voices[1:]:
        mixed = audioop.add(mixed, audioop.ulaw2lin(voice, _SAMPLE_BYTES), _SAMPLE_BYTES)
    return _file(mixed, 1)


def stereo_wav(left: bytes, right: bytes) -> bytes:
    """Two voices of one length, one to each side."""
    sides = [audioop.ulaw2lin(voice, _SAMPLE_BYTES) for voice in (left, right)]
    return _file(
        audioop.add(
            audioop.tostereo(sides[0], _SAMPLE_BYTES, 1, 0),
            audioop.tostereo(sides[1], _SAMPLE_BYTES, 0, 1),
            _SAMPLE_BYTES,
        ),
        2,
    )


def _file(samples: bytes, channels: int) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(_SAMPLE_BYTES)
        file.setframerate(_RATE_HZ)
        file.writeframes(samples)
    return buffer.getvalue()
