"""What the product reports as heard, held against the ear: agreement and every way of being wrong."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from local.callee.ear import HeardTurn
from local.callee.hearing_checks import ToldTurn, hearing_checks
from local.speech.ports import BYTES_PER_MS, Utterance, WordTiming
from local.speech.word_board import Hearing

WORD_MS = 400


def heard(text: str, started_ms: int = 1_000, *, of: str | None = None) -> HeardTurn:
    """A turn of which `text` was heard, of the whole `of`."""
    words = (of or text).split()
    timings = tuple(WordTiming(word, (n + 1) * WORD_MS) for n, word in enumerate(words))
    whole = Utterance(of or text, bytes(len(words) * WORD_MS * BYTES_PER_MS), timings)
    length_ms = len(text.split()) * WORD_MS
    piece = Hearing(whole, 0, length_ms * BYTES_PER_MS)
    return HeardTurn(started_ms, started_ms + length_ms, (piece,))


def failed(
    told: Sequence[ToldTurn], ear: Sequence[HeardTurn], cut_in_ms: Sequence[int] = ()
) -> dict[str, str]:
    checks = hearing_checks(told, ear, cut_in_ms)
    return {check.id: f"{check.moment}: {check.detail}" for check in checks if not check.passed}


def told(text: str, *, interrupted: bool = False, number: int = 2) -> ToldTurn:
    return ToldTurn(number, text, interrupted)


def test_the_same_words_agree_whatever_their_accents_and_marks() -> None:
    assert failed([told("¡Hola, soy Sofía!")], [heard("hola soy sofia")]) == {}


def test_one_turn_of_the_report_may_be_two_at_the_ear() -> None:
    ear = [heard("Un momento."), heard("Ya está.", 4_000)]
    assert failed([told("Un momento. Ya está.")], ear) == {}


@pytest.mark.parametrize("reported", ["a b c", "a b c d", "a b c d e", "a b"])
def test_a_word_or_two_at_a_cut_are_not_held_against_it(reported: str) -> None:
    ear = [heard("a b c", of="a b c d e f g"), heard("luego", 9_000)]
    assert failed([told(reported, interrupted=True), told("luego", number=4)], ear) == {}


def test_three_words_at_a_cut_are() -> None:
    ear = [heard("a b c", of="a b c d e f g")]
    trouble = failed([told("a b c d e f", interrupted=True)], ear)["ear.heard"]
    assert trouble == "turn 2: reported as heard 'd e f', at the ear ''"


@pytest.mark.parametrize("reported", ["a b c x", "a b x", "a b c e"])
def test_other_words_than_those_cut_off_are_held_against_it(reported: str) -> None:
    ear = [heard("a b c", of="a b c d e f g")]
    assert "ear.heard" in failed([told(reported, interrupted=True)], ear)


def test_a_turn_of_two_words_may_not_be_missing_behind_a_cut() -> None:
    ear = [heard("a b c", of="a b c d e"), heard("sí claro", 4_000), heard("luego", 9_000)]
    trouble = failed([told("a b c", interrupted=True), told("luego", number=4)], ear)["ear.heard"]
    assert trouble == "turn 4: reported as heard '', at the ear 'si claro'"


@pytest.mark.parametrize("invented", ["sí claro", "d e"])
def test_a_turn_of_two_words_may_not_be_invented_though_it_is_called_cut(invented: str) -> None:
    ear = [heard("a b c", of="a b c d e"), heard("luego", 9_000)]
    report = [told("a b c", interrupted=True), told(invented, interrupted=True, number=4)]
    assert "turn 4" in failed([*report, told("luego", number=6)], ear)["ear.heard"]


def test_a_turn_may_be_cut_before_its_first_word_was_heard_to_the_end() -> None:
    ear = [heard("hola"), heard("", 4_000, of="perfecto queda el jueves"), heard("luego", 9_000)]
    report = [told("hola"), told("Perfecto, queda", interrupted=True, number=4)]
    assert failed([*report, told("luego", number=6)], ear) == {}


def test_a_cut_turn_that_the_report_does_not_know_is_found() -> None:
    ear = [heard("hola"), heard("perfecto", 4_000, of="perfecto queda el jueves")]
    assert "ear.heard" in failed([told("hola")], ear)


def test_no_word_may_differ_where_nothing_was_cut() -> None:
    assert "ear.heard" in failed([told("a b c")], [heard("a b")])
    assert "ear.heard" in failed([told("a b")], [heard("a b c")])


def test_a_turn_that_never_reached_the_ear_is_found() -> None:
    ear = [heard("uno dos")]
    assert "turn 4" in failed([told("uno dos"), told("tres", number=4)], ear)["ear.heard"]


def test_an_interruption_that_is_not_reported_is_found() -> None:
    ear = [heard("a b c", of="a b c d")]
    assert failed([told("a b c")], ear)["ear.interrupted"].startswith("turn 2: 'd' was cut off")


def test_an_interruption_that_never_was_is_found() -> None:
    wrong = [told("a b c", interrupted=True)]
    assert "ear.interrupted" in failed(wrong, [heard("a b c")])
    assert failed(wrong, [heard("a b c")], cut_in_ms=[1_500]) == {}


def test_sound_that_was_not_made_for_the_call_fails_with_its_moment() -> None:
    strange = HeardTurn(7_000, 8_000, (), 1_000)
    assert "at 7.0 s" in failed([], [strange])["ear.known"]
