from pathlib import Path

import pytest

from local.speech.sound import (
    beep,
    gain_for_snr,
    hold_music,
    mixed,
    pad_to_frames,
    read_stereo_wav,
    ringing,
    rms,
    scaled,
    silence,
    speech_rms,
    to_linear,
    to_mulaw,
    tone,
    write_stereo_wav,
)


def test_mulaw_comes_back_the_same_from_linear() -> None:
    every_value = bytes(value for value in range(256) if value != 0x7F)  # 0x7f is a second zero
    assert to_mulaw(to_linear(every_value)) == every_value


@pytest.mark.parametrize("make", [beep, ringing, hold_music])
def test_sounds_last_as_long_as_asked_and_can_be_heard(make: object) -> None:
    assert callable(make)
    sound = make(2_340)
    assert len(sound) == 2_340 * 8
    assert rms(sound[:8_000]) > 1_000


def test_ringing_pauses_as_in_spain() -> None:
    sound = ringing(4_500)
    assert rms(sound[: 1_500 * 8]) > 1_000
    assert rms(sound[1_500 * 8 :]) == 0


def test_speech_loudness_leaves_the_silence_out() -> None:
    voice = tone((300.0,), 400)
    assert speech_rms(voice + silence(2_000)) == pytest.approx(rms(voice), rel=0.05)
    assert speech_rms(silence(100)) == speech_rms(b"") == 0.0


def test_a_noise_is_brought_to_the_ratio_asked_for() -> None:
    noise = tone((1_000.0,), 1_000)
    quieter = scaled(noise, gain_for_snr(speech=2_000, noise=rms(noise), snr_db=20))
    assert rms(quieter) == pytest.approx(200, rel=0.05)
    assert gain_for_snr(1_000, 0, 10) == 0.0


def test_mixing_adds_loudness() -> None:
    low, high = tone((300.0,), 500), tone((1_100.0,), 500)
    assert rms(mixed(low, to_linear(high))) == pytest.approx(rms(low) * 2**0.5, rel=0.05)


def test_padding_completes_the_last_frame_with_silence() -> None:
    assert pad_to_frames(b"\x01" * 161) == b"\x01" * 161 + b"\xff" * 159
    assert pad_to_frames(b"") == b""


def test_a_stereo_recording_keeps_the_sides_apart(tmp_path: Path) -> None:
    left, right = tone((300.0,), 500), tone((1_100.0,), 200)
    write_stereo_wav(tmp_path / "call.wav", left, right)
    assert read_stereo_wav(tmp_path / "call.wav") == (left, right + silence(300))
