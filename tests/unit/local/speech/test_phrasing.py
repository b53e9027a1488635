import numpy as np

from local.speech.phrasing import LONGEST_PAUSE_MS, Pcm, tighten, time_words


def loud(duration_ms: int) -> Pcm:
    samples = 5_000 * np.sin(np.arange(duration_ms * 16) / 5)
    return samples.astype(np.int16)


def quiet(duration_ms: int) -> Pcm:
    return np.full(duration_ms * 16, 20, dtype=np.int16)


def duration_ms(pcm: Pcm) -> int:
    return pcm.size // 16


def test_silence_around_a_sentence_is_cut_to_a_small_margin() -> None:
    assert duration_ms(tighten(np.concatenate([quiet(600), loud(400), quiet(900)]))) == 480


def test_long_pauses_are_shortened_and_short_ones_kept() -> None:
    long_pause = np.concatenate([loud(200), quiet(1_100), loud(200)])
    short_pause = np.concatenate([loud(200), quiet(150), loud(200)])
    assert duration_ms(tighten(long_pause)) == 400 + LONGEST_PAUSE_MS
    assert duration_ms(tighten(short_pause)) == 550


def test_silence_alone_is_nothing() -> None:
    assert tighten(quiet(500)).size == 0


def test_words_share_the_voiced_time_and_skip_the_pause() -> None:
    pcm = np.concatenate([loud(400), quiet(300), loud(400)])
    first, second = time_words(pcm, ["hola", "Inma"], starts_ms=1_000)
    assert (first.word, first.end_ms) == ("hola", 1_400)
    assert (second.word, second.end_ms) == ("Inma", 2_100)


def test_the_last_word_ends_with_the_voice_and_not_with_the_silence_after_it() -> None:
    (only,) = time_words(np.concatenate([loud(300), quiet(200)]), ["sí"], starts_ms=0)
    assert only.end_ms == 300


def test_digits_take_longer_to_say_than_they_are_long() -> None:
    number, word = time_words(loud(1_000), ["600", "gato"], starts_ms=0)
    assert number.end_ms == 750
    assert word.end_ms == 1_000


def test_a_mark_stands_where_the_long_pause_is_and_not_where_the_letters_say() -> None:
    pcm = np.concatenate([loud(300), quiet(60), loud(300), quiet(300), loud(400)])
    timings = time_words(pcm, ["soy", "Sofía,", "una", "asistente"], starts_ms=0)
    assert [timing.end_ms for timing in timings[:2]] == [230, 660]
    assert timings[2].end_ms > 960
    assert timings[3].end_ms == 1_360


def test_words_without_pauses_between_them_are_all_timed() -> None:
    timings = time_words(loud(400), ["sí,", "sí,", "sí."], starts_ms=0)
    ends_ms = [timing.end_ms for timing in timings]
    assert ends_ms == sorted(ends_ms)
    assert ends_ms[-1] == 400
