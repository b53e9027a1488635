"""Between 16 kHz (synthesiser, recogniser) and 8 kHz (the phone), by one linear-phase low-pass.

The filter is a windowed sinc: flat to 3.5 kHz (the telephone band), more than 65 dB down from 4
kHz on (computed), so that nothing folds back audibly when every second sample is dropped.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]

_TAPS = 127
_CUTOFF_OF_16_KHZ = 3_700 / 16_000
_KAISER_BETA = 6.0


@cache
def _low_pass() -> Samples:
    offsets = np.arange(_TAPS) - _TAPS // 2
    taps = 2 * _CUTOFF_OF_16_KHZ * np.sinc(2 * _CUTOFF_OF_16_KHZ * offsets)
    taps *= np.kaiser(_TAPS, _KAISER_BETA)
    return np.asarray(taps / taps.sum(), dtype=np.float64)


def halve_rate(samples: Samples) -> Samples:
    """16 kHz to 8 kHz; half as many samples, no delay."""
    if not samples.size:
        return samples
    return np.asarray(
        np.convolve(samples, _low_pass(), mode="full")[_TAPS // 2 :][: samples.size : 2]
    )


def double_rate(samples: Samples) -> Samples:
    """8 kHz to 16 kHz; twice as many samples, no delay."""
    if not samples.size:
        return samples
    stuffed = np.zeros(samples.size * 2)
    stuffed[::2] = samples
    filtered = np.convolve(stuffed, _low_pass(), mode="full")
    return np.asarray(2 * filtered[_TAPS // 2 :][: stuffed.size])
