import numpy as np
import pytest

from local.speech.whisper_features import log_mel


def test_the_shape_follows_the_window() -> None:
    assert log_mel(np.zeros(16_000), window_s=5).shape == (80, 500)
    assert log_mel(np.zeros(16_000 * 40), window_s=40).shape == (80, 3_000)


@pytest.mark.parametrize(("frequency_hz", "band"), [(440, 11), (1_000, 26), (3_000, 54)])
def test_a_tone_lights_its_band_of_the_slaney_scale(frequency_hz: int, band: int) -> None:
    tone = np.sin(2 * np.pi * frequency_hz * np.arange(16_000) / 16_000)
    brightest = np.argmax(np.mean(log_mel(tone, window_s=1)[:, 20:80], axis=1))
    assert abs(int(brightest) - band) <= 1


def test_silence_after_the_speech_is_dark_and_values_are_in_whispers_range() -> None:
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)
    features = log_mel(tone, window_s=3)
    assert features.dtype == np.float32
    darkest = np.min(features)
    assert np.max(features[:, 150:]) == darkest
    assert np.max(features) - darkest == pytest.approx(2.0)
