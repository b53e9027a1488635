"""What Whisper sees: the log-mel spectrogram of 16 kHz sound, as its reference implementation
computes it."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 16_000
HOP_SAMPLES = 160
FRAMES_PER_S = RATE_HZ // HOP_SAMPLES
WINDOW_S_MAX = 30
_FFT_SAMPLES = 400
_MEL_BANDS = 80
_SLANEY_LINEAR_HZ = 200 / 3
_SLANEY_BREAK_HZ = 1_000.0
_SLANEY_LOG_STEP = np.log(6.4) / 27

Features = NDArray[np.float32]


def log_mel(samples: NDArray[np.float64], window_s: float) -> Features:
    """Shape (80, 100 * `window_s`); `samples` in -1..1, padded with silence or cut to the
    window."""
    wanted = int(min(window_s, WINDOW_S_MAX) * RATE_HZ)
    padded = np.zeros(wanted)
    padded[: min(wanted, samples.size)] = samples[:wanted]
    reflected = np.pad(padded, _FFT_SAMPLES // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(reflected, _FFT_SAMPLES)[::HOP_SAMPLES]
    spectrum = np.fft.rfft(frames * np.hanning(_FFT_SAMPLES + 1)[:-1], axis=1)
    power = np.abs(spectrum[: wanted // HOP_SAMPLES]) ** 2
    log_power = np.log10(np.maximum(_mel_filters() @ power.T, 1e-10))
    log_power = np.maximum(log_power, log_power.max() - 8.0)
    return np.ascontiguousarray((log_power + 4.0) / 4.0, dtype=np.float32)


@cache
def _mel_filters() -> NDArray[np.float64]:
    """Slaney's triangular filters with area normalisation, shape (80, 201)."""
    edges_hz = _mel_to_hz(np.linspace(0.0, _hz_to_mel(RATE_HZ / 2), _MEL_BANDS + 2))
    bins_hz = np.linspace(0.0, RATE_HZ / 2, _FFT_SAMPLES // 2 + 1)
    widths = np.diff(edges_hz)
    ramps = edges_hz[:, None] - bins_hz[None, :]
    rising = -ramps[:-2] / widths[:-1, None]
    falling = ramps[2:] / widths[1:, None]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    return np.asarray(triangles * (2.0 / (edges_hz[2:] - edges_hz[:-2]))[:, None])


def _hz_to_mel(frequency_hz: float) -> float:
    if frequency_hz < _SLANEY_BREAK_HZ:
        return frequency_hz / _SLANEY_LINEAR_HZ
    above = np.log(frequency_hz / _SLANEY_BREAK_HZ) / _SLANEY_LOG_STEP
    return float(_SLANEY_BREAK_HZ / _SLANEY_LINEAR_HZ + above)


def _mel_to_hz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    break_mel = _SLANEY_BREAK_HZ / _SLANEY_LINEAR_HZ
    above = _SLANEY_BREAK_HZ * np.exp(_SLANEY_LOG_STEP * (mels - break_mel))
    return np.where(mels < break_mel, mels * _SLANEY_LINEAR_HZ, above)
