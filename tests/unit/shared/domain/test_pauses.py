"""Finding the pauses of speech, and those that stand between given parts of it."""

from __future__ import annotations

from shared.domain.pauses import Pause, boundaries, pauses, voiced_ms

LOUD, QUIET = b"\x10", b"\xff"


def spoken(*stretches_ms: int) -> bytes:
    """Speech and silence in turns, beginning with speech."""
    return b"".join(
        (QUIET if index % 2 else LOUD) * (ms * 8) for index, ms in enumerate(stretches_ms)
    )


def test_pauses_are_found_where_nothing_sounds() -> None:
    assert pauses(spoken(500, 300, 900, 80, 400)) == [Pause(500, 800), Pause(1_700, 1_780)]


def test_the_stop_within_a_word_is_none() -> None:
    assert pauses(spoken(500, 40, 500)) == []


def test_silence_at_the_end_is_one_and_no_sound_has_none() -> None:
    assert pauses(spoken(500, 200)) == [Pause(500, 700)]
    assert pauses(b"") == []


def test_a_long_pause_is_meant_before_a_short_one_that_is_nearer() -> None:
    between_words, between_clauses = Pause(500, 560), Pause(900, 1_200)
    assert boundaries([between_words, between_clauses], [560]) == [1_050]


def test_a_pause_out_of_reach_is_not_meant() -> None:
    assert boundaries([Pause(5_000, 6_000)], [560]) == [560]


def test_boundaries_keep_their_order_and_share_no_pause() -> None:
    found = [Pause(400, 700), Pause(1_200, 1_500)]
    assert boundaries(found, [900, 1_000]) == [550, 1_350]


def test_without_any_pause_the_estimates_stand() -> None:
    assert boundaries([], [560, 900]) == [560, 900]
    assert boundaries([Pause(1, 200)], []) == []


def test_speech_between_two_moments_leaves_the_pauses_around_it_out() -> None:
    found = [Pause(400, 700), Pause(1_200, 1_500)]
    assert voiced_ms(found, 550, 1_350) == (700, 1_200)
    assert voiced_ms(found, 0, 550) == (0, 400)
    assert voiced_ms([], 100, 900) == (100, 900)
