"""What was said, when, and how much: each rule passing and failing."""

import pytest

from local.callee.call_report import CallReport, ReportedTurn, Who
from local.callee.checks import CheckLevel
from local.callee.persona import Limits, MustNotSay, MustSay
from local.callee.transcript_checks import limits, must_not_say, must_say


def call(*turns: str, stops_ms: tuple[int, ...] = ()) -> CallReport:
    """`A: ...` the agent, `A/: ...` interrupted, `2: ...` the callee's utterance 2, `-: ...` no
    utterance of the script; one second each."""
    reported = []
    for second, turn in enumerate(turns):
        who, _, heard = turn.partition(": ")
        reported.append(
            ReportedTurn(
                Who.AGENT if who.startswith("A") else Who.CALLEE,
                heard,
                second * 1_000,
                utterance=int(who) if who.isdigit() else None,
                interrupted=who == "A/",
            )
        )
    return CallReport(tuple(reported), barge_in_stops_ms=stops_ms)


PRICE = MustSay(id="price", any=(r"\b39\b", "treinta y nueve"))


def test_one_of_several_patterns_is_enough_and_accents_do_not_count() -> None:
    check = must_say(call("1: ¿Sí?", "A: Son TREINTA y nueve."), PRICE)
    assert (check.id, check.passed, check.moment) == (
        "must_say.price",
        True,
        "agent turn 1 at 1.0 s",
    )


def test_what_was_not_said_fails_with_the_patterns() -> None:
    check = must_say(call("A: Son veinte."), PRICE)
    assert check.passed is False
    assert "treinta y nueve" in check.detail


def test_the_callees_words_do_not_count() -> None:
    assert must_say(call("1: Treinta y nueve."), PRICE).passed is False


def test_all_patterns_may_be_spread_over_the_turns_selected() -> None:
    slot = MustSay(id="slot", all=("jueves", r"(\b11\b|once)"), after_utterance=1)
    assert must_say(call("1: El jueves.", "A: El jueves.", "A: A las once."), slot).passed
    check = must_say(call("A: A las once.", "1: El jueves.", "A: El jueves."), slot)
    assert check.passed is False
    assert "once" in check.detail


def test_any_and_all_must_both_hold() -> None:
    both = MustSay(id="both", any=("hola",), all=("nubelia",))
    assert must_say(call("A: Hola, Nubelia."), both).passed
    assert must_say(call("A: Nubelia."), both).passed is False
    assert must_say(call("A: Hola."), both).passed is False


def test_after_an_utterance_counts_only_turns_begun_after_it() -> None:
    later = PRICE.model_copy(update={"after_utterance": 2})
    assert must_say(call("1: a", "A: 39", "2: b", "A: adiós"), later).passed is False
    assert must_say(call("1: a", "A: hola", "2: b", "A: 39"), later).passed


def test_an_utterance_that_never_came_leaves_nothing_that_counts() -> None:
    later = PRICE.model_copy(update={"after_utterance": 9})
    check = must_say(call("1: a", "A: 39"), later)
    assert check.passed is False
    assert "no turn counts" in check.detail


def test_unscripted_words_are_not_counted_as_utterances() -> None:
    later = PRICE.model_copy(update={"after_utterance": 2})
    assert must_say(call("1: a", "-: ¿Oiga?", "A: 39", "2: b"), later).passed is False


WITHIN_1 = MustSay(id="company", any=("nubelia",), within_agent_turn=1)


@pytest.mark.parametrize(
    ("turns", "passed"),
    [
        (("A: Nubelia.",), True),
        (("A: Hola.", "A: Nubelia."), False),
        (("A/: Hola, soy", "1: ¿Sí?", "A: Nubelia."), True),
        (("A/: Hola", "1: a", "A/: Le llamo", "2: b", "A: Nubelia."), True),
        (("A/: Hola", "1: a", "A: Le llamo", "A: Nubelia."), False),
        (("A: Hola.", "A/: Le", "1: a", "A: Nubelia."), False),
    ],
)
def test_the_turns_allowed_grow_with_each_interruption(
    turns: tuple[str, ...], passed: bool
) -> None:
    assert must_say(call(*turns), WITHIN_1).passed is passed


def test_a_turn_of_which_nothing_was_heard_is_no_turn() -> None:
    assert must_say(call("A/: ", "1: ¿Sí?", "A: Nubelia."), WITHIN_1).passed
    assert must_say(call("A/: ", "A: Hola.", "A: Nubelia."), WITHIN_1).passed is False


def test_a_forbidden_word_fails_with_its_moment() -> None:
    rule = MustNotSay(id="pitch", any=("agenda online", "prueba"), after_utterance=2)
    assert must_not_say(call("1: a", "A: agenda online", "2: b", "A: adiós"), rule).passed
    check = must_not_say(call("1: a", "A: hola", "2: b", "A: La Agenda  online", "A: prueba"), rule)
    assert check.passed is False
    assert check.moment == "agent turn 3 at 4.0 s"
    assert "prueba" in check.detail


def test_what_must_not_follow_an_utterance_is_not_kept_where_it_was_never_said() -> None:
    rule = MustNotSay(id="pitch", any=("agenda online",), after_utterance=2)
    check = must_not_say(call("1: a", "A: hola", "-: ¿Oiga?", "A: adiós"), rule)
    assert check.passed is False
    assert check.detail == "utterance 2 was never said"
    assert must_not_say(call("1: a", "A: hola", "2: b"), rule).passed


def test_lookbehinds_of_the_common_rules_work_on_folded_text() -> None:
    human = MustNotSay(id="claims_human", any=(r"(?<!no )\bsoy (una )?(persona|humana)\b",))
    assert must_not_say(call("A: No soy una persona."), human).passed
    assert must_not_say(call("A: Sí, soy una persona."), human).passed is False


def test_a_pattern_may_span_turns() -> None:
    twice = MustNotSay(id="repeats", any=("no le he entendido.*no le he entendido",))
    assert must_not_say(call("A: No le he entendido."), twice).passed
    check = must_not_say(call("A: No le he entendido.", "1: a", "A: No le he entendido."), twice)
    assert (check.passed, check.moment) == (False, "agent turns 1 to 2")


def test_soft_checks_keep_their_level() -> None:
    soft = MustNotSay.model_validate({"id": "x", "any": ["y"], "level": "soft"})
    assert must_not_say(call("A: y"), soft).level is CheckLevel.SOFT


def failed_limits(report: CallReport, **allowed: int) -> dict[str, str]:
    checks = limits(report, Limits.model_validate(allowed))
    return {check.id: check.detail for check in checks if not check.passed}


def test_sentences_words_and_questions_are_counted_for_each_turn() -> None:
    report = call("A: Hola. Soy Sofía. ¿Es usted? ¿Carmen?", "A: Vale.")
    assert failed_limits(report, sentences_per_turn_max=4, words_per_turn_max=6) == {}
    assert failed_limits(report, questions_per_turn_max=2) == {}
    assert set(
        failed_limits(
            report, sentences_per_turn_max=3, words_per_turn_max=5, questions_per_turn_max=1
        )
    ) == {
        "limit.sentences_per_turn_max",
        "limit.words_per_turn_max",
        "limit.questions_per_turn_max",
    }


def test_decimals_times_and_addresses_do_not_end_a_sentence() -> None:
    report = call("A: Son 39,50 euros, a las 16.30, en nubelia.example y ya está.")
    assert failed_limits(report, sentences_per_turn_max=1) == {}


def test_turns_and_barge_in_stops_have_limits() -> None:
    report = call("A: a", "1: b", "A: c", "A: ", stops_ms=(300, 720))
    assert failed_limits(report, agent_turns_max=2, barge_in_stop_ms_max=720) == {}
    assert set(failed_limits(report, agent_turns_max=1, barge_in_stop_ms_max=700)) == {
        "limit.agent_turns_max",
        "limit.barge_in_stop_ms_max",
    }


def test_limits_that_are_not_set_are_not_checked() -> None:
    assert list(limits(call("A: hola"), Limits())) == []
