import numpy as np

from local.speech.noise_reduction import reduce_noise

RATE_HZ = 16_000
NOISE = np.random.default_rng(1).normal(0, 0.05, 3 * RATE_HZ)
VOICE = np.zeros(3 * RATE_HZ)
VOICE[RATE_HZ : 2 * RATE_HZ] = 0.5 * np.sin(2 * np.pi * 440 * np.arange(RATE_HZ) / RATE_HZ)


def level(samples: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    return float(np.sqrt(np.mean(samples**2)))


def test_steady_noise_is_lowered_where_nobody_speaks() -> None:
    quieter = reduce_noise(VOICE + NOISE)
    assert level(quieter[: RATE_HZ // 2]) < 0.5 * level(NOISE)


def test_the_voice_stays() -> None:
    kept = reduce_noise(VOICE + NOISE)[RATE_HZ : 2 * RATE_HZ]
    assert abs(level(kept) / level(VOICE[RATE_HZ : 2 * RATE_HZ]) - 1) < 0.1


def test_a_clean_voice_passes_as_it_is() -> None:
    assert np.allclose(reduce_noise(VOICE), VOICE, atol=0.02)


def test_length_is_kept_also_for_very_short_sounds() -> None:
    for count in (0, 1, 511, 512, 700, 5_000):
        assert reduce_noise(np.ones(count)).size == count
