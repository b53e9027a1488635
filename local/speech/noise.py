"""Noises of a salon, made by arithmetic: the same seed gives the same sound.

A persona's signal-to-noise ratio holds at the microphone. The telephone carries 300 to 3,400 Hz,
so that much of a fan's rumble and of a motor's hiss never reaches the line.
"""

from __future__ import annotations

import audioop
from enum import StrEnum
from functools import cache

import numpy as np
from numpy.typing import NDArray

from local.speech.ports import FRAME_BYTES
from local.speech.sound import RATE_HZ, SAMPLE_BYTES, gain_for_snr

LOOP_S = 8
MICROPHONE_RMS = 3_000
"""Of every noise loop before the telephone's band, on the 16-bit scale."""
_MICROPHONE_RATE_HZ = 16_000
_BAND_HZ = (300.0, 3_400.0)
_MOTOR_HZ = ((300, 0.20), (600, 0.14), (1_200, 0.08))
"""Whirr and overtones of a dryer's motor, 14 dB and more below its air."""
_FRAME_LINEAR_BYTES = FRAME_BYTES * SAMPLE_BYTES

Amplitudes = NDArray[np.float64]


class NoiseKind(StrEnum):
    NONE = "none"
    HAIR_DRYER = "hair_dryer"
    STREET = "street"


@cache
def noise_loop(kind: NoiseKind, seed: int = 1) -> bytes:
    """`LOOP_S` seconds as the line carries them: linear, 16 bit, 8 kHz, repeatable without a seam.

    At the microphone it had an RMS of `MICROPHONE_RMS`.
    """
    count = LOOP_S * RATE_HZ
    if kind is NoiseKind.NONE:
        return bytes(count * SAMPLE_BYTES)
    frequencies_hz = np.fft.rfftfreq(LOOP_S * _MICROPHONE_RATE_HZ, 1 / _MICROPHONE_RATE_HZ)
    acoustic = _dryer(frequencies_hz) if kind is NoiseKind.HAIR_DRYER else _traffic(frequencies_hz)
    carried = acoustic * _telephone_band(frequencies_hz)
    share = np.sqrt(np.sum(carried**2) / np.sum(acoustic**2))
    samples = _with_random_phases(carried[: count // 2 + 1], seed)
    if kind is NoiseKind.STREET:
        samples *= _passing_cars(count)
    scaled = samples / np.sqrt(np.mean(samples**2)) * MICROPHONE_RMS * share
    return bytes(np.rint(scaled).astype("<i2").tobytes())


def _with_random_phases(amplitudes: Amplitudes, seed: int) -> NDArray[np.float64]:
    phases = np.random.default_rng(seed).uniform(0, 2 * np.pi, amplitudes.size)
    return np.asarray(np.fft.irfft(amplitudes * np.exp(1j * phases)))


def _telephone_band(frequencies_hz: Amplitudes) -> Amplitudes:
    """Second order at the low end; nothing above the band."""
    low_hz, high_hz = _BAND_HZ
    ratio = frequencies_hz / low_hz
    return np.asarray(ratio**2 / np.sqrt(1 + ratio**4) * (frequencies_hz <= high_hz))


def _dryer(frequencies_hz: Amplitudes) -> Amplitudes:
    """Air: flat to 250 Hz, then falling by about 7 dB for each octave; and the motor's tones."""
    air = 1 / (1 + (frequencies_hz / 250) ** 1.2)
    loudness = np.sqrt(np.sum(air**2))
    for tone_hz, level in _MOTOR_HZ:
        air[tone_hz * LOOP_S] = level * loudness
    return np.asarray(air)


def _traffic(frequencies_hz: Amplitudes) -> Amplitudes:
    """Rumble: flat to 150 Hz, then falling by about 8 dB for each octave."""
    return np.asarray(1 / (1 + (frequencies_hz / 150) ** 1.35))


def _passing_cars(count: int) -> NDArray[np.float64]:
    """Two cars in each loop."""
    seconds = np.arange(count) / RATE_HZ
    return np.asarray(0.6 + 0.4 * np.sin(2 * np.pi * seconds * 2 / LOOP_S) ** 2)


class NoiseBed:
    """A noise under a conversation, frame after frame, at a ratio to the speech over it.

    `snr_db` holds at the microphone; on the line it is better by what the band keeps out (about
    5 dB for a dryer, 8 dB for a street).
    """

    def __init__(self, kind: NoiseKind, *, speech_rms: float, snr_db: float, seed: int = 1) -> None:
        gain = gain_for_snr(speech_rms, MICROPHONE_RMS, snr_db)
        self._loop = audioop.mul(noise_loop(kind, seed), SAMPLE_BYTES, gain)
        self._at = 0

    def next_frame(self) -> bytes:
        """The next 20 ms, linear: 320 bytes."""
        frame = self._loop[self._at : self._at + _FRAME_LINEAR_BYTES]
        self._at = (self._at + _FRAME_LINEAR_BYTES) % len(self._loop)
        return frame
