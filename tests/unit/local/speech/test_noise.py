import audioop
import math

import pytest

from local.speech.noise import LOOP_S, NoiseBed, NoiseKind, noise_loop


@pytest.mark.parametrize("kind", [NoiseKind.HAIR_DRYER, NoiseKind.STREET])
def test_a_noise_sounds_the_same_each_time_and_never_clips(kind: NoiseKind) -> None:
    first = noise_loop(kind, seed=7)
    noise_loop.cache_clear()
    assert noise_loop(kind, seed=7) == first
    assert noise_loop(kind, seed=8) != first
    assert len(first) == LOOP_S * 8_000 * 2
    assert audioop.max(first, 2) < 32_000


@pytest.mark.parametrize("snr_db", [5, 15])
def test_a_bed_lies_under_speech_at_the_ratio_asked_for_less_what_the_band_keeps_out(
    snr_db: int,
) -> None:
    bed = NoiseBed(NoiseKind.HAIR_DRYER, speech_rms=4_000, snr_db=snr_db)
    sound = b"".join(bed.next_frame() for _ in range(LOOP_S * 50))
    at_the_microphone = 4_000 / 10 ** (snr_db / 20)
    kept_out_db = 20 * math.log10(at_the_microphone / audioop.rms(sound, 2))
    assert 4 < kept_out_db < 5.5


def test_a_bed_goes_round() -> None:
    bed = NoiseBed(NoiseKind.STREET, speech_rms=4_000, snr_db=10)
    frames = [bed.next_frame() for _ in range(LOOP_S * 50 + 1)]
    assert {len(frame) for frame in frames} == {320}
    assert frames[0] == frames[-1]


def test_no_noise_is_silence() -> None:
    bed = NoiseBed(NoiseKind.NONE, speech_rms=4_000, snr_db=10)
    assert bed.next_frame() == bytes(320)
