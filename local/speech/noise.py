"""Noises of a salon, made by arithmetic: the same seed gives the same sound."""

from __future__ import annotations

import audioop
from enum import StrEnum
from functools import cache

import numpy as np
from numpy.typing import NDArray

from local.speech.ports import FRAME_BYTES
from local.speech.sound import RATE_HZ, SAMPLE_BYTES, gain_for_snr

LOOP_S = 8
_PEAK = 12_000
_FRAME_LINEAR_BYTES = FRAME_BYTES * SAMPLE_BYTES

Spectrum = NDArray[np.float64]


class NoiseKind(StrEnum):
    NONE = "none"
    HAIR_DRYER = "hair_dryer"
    STREET = "street"


@cache
def noise_loop(kind: NoiseKind, seed: int = 1) -> bytes:
    """`LOOP_S` seconds of linear 16-bit sound that can be repeated without a seam."""
    count = LOOP_S * RATE_HZ
    frequencies_hz = np.fft.rfftfreq(count, 1 / RATE_HZ)
    if kind is NoiseKind.HAIR_DRYER:
        samples = _shaped_noise(_air_stream(frequencies_hz), seed) + _motor(count)
    elif kind is NoiseKind.STREET:
        samples = _shaped_noise(_traffic(frequencies_hz), seed) * _passing_cars(count)
    else:
        return bytes(count * SAMPLE_BYTES)
    scaled = samples / np.abs(samples).max() * _PEAK
    return bytes(np.rint(scaled).astype("<i2").tobytes())


def _shaped_noise(amplitudes: Spectrum, seed: int) -> NDArray[np.float64]:
    phases = np.random.default_rng(seed).uniform(0, 2 * np.pi, amplitudes.size)
    samples = np.fft.irfft(amplitudes * np.exp(1j * phases))
    return np.asarray(samples / np.sqrt(np.mean(samples**2)))


def _air_stream(frequencies_hz: Spectrum) -> Spectrum:
    """Broad, with most of its power between 500 Hz and 2.5 kHz."""
    rise = (frequencies_hz / 500) ** 2 / (1 + (frequencies_hz / 500) ** 2)
    return np.asarray(rise / (1 + (frequencies_hz / 2_500) ** 2))


def _motor(count: int) -> NDArray[np.float64]:
    """The whirr of the motor and two of its overtones, 17 dB and more below the air."""
    seconds = np.arange(count) / RATE_HZ
    partials = ((300, 0.20), (600, 0.14), (1_200, 0.08))
    return np.asarray(sum(level * np.sin(2 * np.pi * hz * seconds) for hz, level in partials))


def _traffic(frequencies_hz: Spectrum) -> Spectrum:
    """Low rumble that the telephone cuts below 200 Hz."""
    high_pass = (frequencies_hz / 200) ** 2 / (1 + (frequencies_hz / 200) ** 2)
    return np.asarray(high_pass / (1 + (frequencies_hz / 400) ** 1.5))


def _passing_cars(count: int) -> NDArray[np.float64]:
    """Two cars in each loop."""
    seconds = np.arange(count) / RATE_HZ
    return np.asarray(0.6 + 0.4 * np.sin(2 * np.pi * seconds * 2 / LOOP_S) ** 2)


class NoiseBed:
    """A noise under a conversation, frame after frame, at a ratio to the speech over it."""

    def __init__(self, kind: NoiseKind, *, speech_rms: float, snr_db: float, seed: int = 1) -> None:
        loop = noise_loop(kind, seed)
        loudness = audioop.rms(loop, SAMPLE_BYTES)
        self._loop = audioop.mul(loop, SAMPLE_BYTES, gain_for_snr(speech_rms, loudness, snr_db))
        self._at = 0

    def next_frame(self) -> bytes:
        """The next 20 ms, linear: 320 bytes."""
        frame = self._loop[self._at : self._at + _FRAME_LINEAR_BYTES]
        self._at = (self._at + _FRAME_LINEAR_BYTES) % len(self._loop)
        return frame
