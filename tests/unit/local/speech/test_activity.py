from local.speech.activity import DetectorPool, EnergyActivity, frames_of, speech_ms
from local.speech.noise import NoiseBed, NoiseKind
from local.speech.sound import silence, to_mulaw, tone


def hair_dryer(duration_ms: int) -> bytes:
    bed = NoiseBed(NoiseKind.HAIR_DRYER, speech_rms=4_000, snr_db=5)
    return b"".join(to_mulaw(bed.next_frame()) for _ in range(duration_ms // 20))


def test_the_last_frame_is_padded() -> None:
    assert list(frames_of(b"\x01" * 200)) == [b"\x01" * 160, b"\x01" * 40 + b"\xff" * 120]


def test_silence_a_tone_and_a_hair_dryer_are_no_speech() -> None:
    assert speech_ms(silence(2_000)) == 0
    assert speech_ms(tone((1_000.0,), 2_000)) < 200
    assert speech_ms(hair_dryer(4_000)) < 200


def test_energy_hears_a_voice_over_silence() -> None:
    sound = silence(500) + tone((220.0, 700.0), 400) + silence(500)
    assert 400 <= speech_ms(sound, EnergyActivity()) <= 600


def test_energy_gets_used_to_a_noise() -> None:
    activity = EnergyActivity()
    hit = [activity.is_speech(frame) for frame in frames_of(hair_dryer(8_000))]
    assert sum(hit[250:]) == 0


def test_a_detector_goes_back_to_the_pool_when_its_call_is_over() -> None:
    pool = DetectorPool(spare=1)
    pool.fill()
    activity = pool.lend()
    first = activity.detector
    for frame in frames_of(tone((300.0,), 200)):
        activity.is_speech(frame)
    del activity
    assert pool.lend().detector is first


def test_two_calls_never_share_a_detector() -> None:
    pool = DetectorPool(spare=1)
    first, second = pool.lend(), pool.lend()
    assert first.detector is not second.detector
