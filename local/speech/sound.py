"""Sound as the twin handles it: mu-law in frames, levels, mixing, tones, WAV files."""

from __future__ import annotations

import audioop
import math
import struct
import wave
from pathlib import Path

from local.speech.ports import BYTES_PER_MS, FRAME_BYTES

RATE_HZ = 8_000
SAMPLE_BYTES = 2
MULAW_SILENCE = b"\xff"
SILENCE_FRAME = MULAW_SILENCE * FRAME_BYTES
_FULL_SCALE = 32_767


def to_linear(mulaw: bytes) -> bytes:
    """Mu-law to 16-bit little-endian samples: twice as many bytes."""
    return audioop.ulaw2lin(mulaw, SAMPLE_BYTES)


def to_mulaw(linear: bytes) -> bytes:
    """16-bit little-endian samples to mu-law: half as many bytes."""
    return audioop.lin2ulaw(linear, SAMPLE_BYTES)


def silence(duration_ms: int) -> bytes:
    return MULAW_SILENCE * (duration_ms * BYTES_PER_MS)


def pad_to_frames(mulaw: bytes) -> bytes:
    """With silence at the end, so that it divides into frames of 160 bytes."""
    return mulaw + MULAW_SILENCE * (-len(mulaw) % FRAME_BYTES)


def rms(mulaw: bytes) -> int:
    """Loudness on the 16-bit scale."""
    return audioop.rms(to_linear(mulaw), SAMPLE_BYTES)


def speech_rms(mulaw: bytes) -> float:
    """Loudness of what is not silence: frames below a tenth of the loudest one do not count."""
    levels = [
        rms(mulaw[at : at + FRAME_BYTES])
        for at in range(0, len(mulaw) - FRAME_BYTES + 1, FRAME_BYTES)
    ]
    loud = [level for level in levels if level * 10 > max(levels)]
    return math.sqrt(sum(level * level for level in loud) / len(loud)) if loud else 0.0


def gain_for_snr(speech: float, noise: float, snr_db: float) -> float:
    """The factor for a noise of RMS `noise` under speech of RMS `speech`."""
    return speech / noise / 10 ** (snr_db / 20) if noise > 0 else 0.0


def scaled(mulaw: bytes, factor: float) -> bytes:
    return to_mulaw(audioop.mul(to_linear(mulaw), SAMPLE_BYTES, factor))


def mixed(mulaw: bytes, other_linear: bytes) -> bytes:
    """`mulaw` with linear sound of the same duration under it."""
    return to_mulaw(audioop.add(to_linear(mulaw), other_linear, SAMPLE_BYTES))


def tone(
    frequencies_hz: tuple[float, ...], duration_ms: int, level: float = 0.25, fade_ms: int = 5
) -> bytes:
    """Sines at equal parts of `level` (of full scale), faded at both ends against clicks."""
    count = duration_ms * RATE_HZ // 1_000
    fade = max(1, fade_ms * RATE_HZ // 1_000)
    steps = [2 * math.pi * frequency / RATE_HZ for frequency in frequencies_hz]
    peak = _FULL_SCALE * level / max(1, len(steps))
    samples = (
        round(
            peak
            * min(1.0, (index + 1) / fade, (count - index) / fade)
            * sum(math.sin(step * index) for step in steps)
        )
        for index in range(count)
    )
    return to_mulaw(struct.pack(f"<{count}h", *samples))


def beep(duration_ms: int) -> bytes:
    """A mailbox's beep: 1,000 Hz."""
    return tone((1_000.0,), duration_ms, level=0.4)


def ringing(duration_ms: int) -> bytes:
    """Ringback as in Spain: 425 Hz, 1.5 s on, 3 s off (ITU-T E.180)."""
    period = tone((425.0,), 1_500, level=0.15) + silence(3_000)
    return _repeated(period, duration_ms)


def hold_music(duration_ms: int) -> bytes:
    """A plain melody over its fifth, such as waiting callers hear."""
    notes_hz = (523.25, 659.25, 783.99, 659.25, 587.33, 698.46, 880.0, 698.46)
    bars = b"".join(tone((note, note * 1.5), 400, level=0.2, fade_ms=40) for note in notes_hz)
    return _repeated(bars, duration_ms)


def _repeated(sound: bytes, duration_ms: int) -> bytes:
    wanted = duration_ms * BYTES_PER_MS
    return (sound * (wanted // len(sound) + 1))[:wanted]


def write_stereo_wav(path: Path, left: bytes, right: bytes) -> None:
    """Two mu-law sounds as the channels of a 16-bit WAV at 8 kHz; the shorter is padded."""
    length = max(len(left), len(right))
    channels = (to_linear(each.ljust(length, MULAW_SILENCE)) for each in (left, right))
    left_only, right_only = (
        audioop.tostereo(samples, SAMPLE_BYTES, *factors)
        for samples, factors in zip(channels, ((1, 0), (0, 1)), strict=True)
    )
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(SAMPLE_BYTES)
        file.setframerate(RATE_HZ)
        file.writeframes(audioop.add(left_only, right_only, SAMPLE_BYTES))


def read_stereo_wav(path: Path) -> tuple[bytes, bytes]:
    """What `write_stereo_wav` wrote, as mu-law."""
    with wave.open(str(path), "rb") as file:
        if (file.getnchannels(), file.getsampwidth(), file.getframerate()) != (2, 2, RATE_HZ):
            raise ValueError(f"{path.name} is not a stereo 16-bit WAV at 8 kHz")
        frames = file.readframes(file.getnframes())
    return (
        to_mulaw(audioop.tomono(frames, SAMPLE_BYTES, 1, 0)),
        to_mulaw(audioop.tomono(frames, SAMPLE_BYTES, 0, 1)),
    )
