"""The service's sound formats and the phone's."""

from __future__ import annotations

import audioop
import math

import numpy as np
import pytest

from local.realtime.codec import Codec


def pcm_tone(hz: float, rate_hz: int = 24_000, ms: int = 500) -> bytes:
    times = np.arange(rate_hz * ms // 1_000) / rate_hz
    return (8_000 * np.sin(math.tau * hz * times)).astype("<i2").tobytes()


def level_db(mulaw: bytes) -> float:
    """Against the tone's own level, without its beginning."""
    rms = audioop.rms(audioop.ulaw2lin(mulaw[400:], 2), 2)
    return 20 * math.log10(max(rms, 1) / (8_000 / math.sqrt(2)))


def test_what_lies_above_the_phones_band_does_not_fold_into_it() -> None:
    for hz in (4_500, 6_000, 9_000, 11_000):
        assert level_db(Codec("audio/pcm").to_mulaw(pcm_tone(hz))) < -45


@pytest.mark.parametrize("hz", [300, 1_000, 3_000])
def test_what_lies_in_the_phones_band_stays_as_loud(hz: int) -> None:
    assert abs(level_db(Codec("audio/pcm").to_mulaw(pcm_tone(hz)))) < 0.5


def test_pieces_of_any_size_are_the_same_sound() -> None:
    sound = pcm_tone(700)
    whole = Codec("audio/pcm").to_mulaw(sound)
    codec, pieces, at = Codec("audio/pcm"), b"", 0
    for size in [1, 7, 480, 333, 2, 999, 4_801] * 10:
        pieces += codec.to_mulaw(sound[at : at + size])
        at += size
    assert at >= len(sound)
    assert pieces == whole
    assert len(whole) == len(sound) // 6


def test_the_way_to_24_khz_makes_no_images() -> None:
    narrow = audioop.lin2ulaw(pcm_tone(1_000, rate_hz=8_000), 2)
    wide = np.frombuffer(Codec("audio/pcm").from_mulaw(narrow), dtype="<i2")[1_000:11_000]
    spectrum = np.abs(np.fft.rfft(wide * np.hanning(wide.size)))
    hz = np.fft.rfftfreq(wide.size, 1 / 24_000)
    loudest = spectrum.max()
    assert abs(hz[spectrum.argmax()] - 1_000) < 5
    assert spectrum[hz > 4_200].max() < loudest / 300


def test_the_phones_own_format_passes_untouched_and_a_law_comes_back_alike() -> None:
    sound = audioop.lin2ulaw(pcm_tone(500, rate_hz=8_000), 2)
    assert Codec("audio/pcmu").to_mulaw(sound) is sound
    there = Codec("audio/pcma").from_mulaw(sound)
    back = Codec("audio/pcma").to_mulaw(there)
    assert abs(level_db(back) - level_db(sound)) < 0.2
