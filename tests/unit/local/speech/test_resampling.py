import numpy as np
import pytest
from numpy.typing import NDArray

from local.speech.resampling import double_rate, halve_rate


def sine(frequency_hz: float, rate_hz: int) -> NDArray[np.float64]:
    return np.sin(2 * np.pi * frequency_hz * np.arange(rate_hz) / rate_hz)


def level(samples: NDArray[np.float64]) -> float:
    """RMS without the filter's edges."""
    return float(np.sqrt(np.mean(samples[200:-200] ** 2)))


@pytest.mark.parametrize("frequency_hz", [300, 1_000, 3_300])
def test_the_telephone_band_passes_unchanged(frequency_hz: int) -> None:
    assert np.allclose(
        halve_rate(sine(frequency_hz, 16_000))[200:-200],
        sine(frequency_hz, 8_000)[200:-200],
        atol=0.01,
    )


@pytest.mark.parametrize("frequency_hz", [4_300, 5_000, 7_000])
def test_what_would_fold_back_is_gone(frequency_hz: int) -> None:
    assert level(halve_rate(sine(frequency_hz, 16_000))) < 0.001


@pytest.mark.parametrize("frequency_hz", [300, 1_000, 3_300])
def test_doubling_gives_the_same_tone_without_an_image(frequency_hz: int) -> None:
    doubled = double_rate(sine(frequency_hz, 8_000))
    assert np.allclose(doubled[200:-200], sine(frequency_hz, 16_000)[200:-200], atol=0.01)


def test_lengths_are_halved_and_doubled_exactly() -> None:
    assert halve_rate(np.zeros(321)).size == 161
    assert double_rate(np.zeros(321)).size == 642
    assert halve_rate(np.zeros(0)).size == double_rate(np.zeros(0)).size == 0
