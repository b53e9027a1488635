"""A whole call against a whole persona."""

from dataclasses import replace
from typing import Any

import pytest

from local.callee.account import Account, OwnSpeech
from local.callee.call_report import (
    CallReport,
    ReportedTurn,
    ToolUse,
    Who,
    in_order,
    utterances_begun,
)
from local.callee.checks import Check, CheckLevel, persona_passes
from local.callee.expectations import evaluate, expectations_of
from local.callee.persona import Expectations, load_personas

PEOPLE = load_personas()
CARMEN = PEOPLE.persona("p01")
AT = "2026-11-26T11:00:00+01:00"

SOFIA = [
    "Hola, soy Sofía, una asistente con inteligencia artificial, y llamo de parte de Nubelia con"
    " fines comerciales. La llamada se transcribe y, si prefiere que no le llamemos más, me lo dice"
    " y lo anoto. ¿Hablo con Carmen?",
    "Gracias. ¿Cómo lleva ahora las citas?",
    "Papel y WhatsApp, entiendo. ¿Cuántas personas son?",
    "¿Y qué es lo que más tiempo le quita?",
    "Para eso están los recordatorios. ¿Lo decide usted?",
    "Desde 39 euros al mes, IVA aparte; el precio exacto lo confirma Laura.",
    "Le apunto el jueves a las once. ¿A este móvil?",
    "Perfecto, le llama Laura.",
    "Hasta el jueves, Carmen.",
]


def good_call() -> CallReport:
    turns: list[ReportedTurn] = []
    lines = [turn.say or "" for turn in CARMEN.turns]
    for number, (line, answer) in enumerate(zip(lines, SOFIA, strict=True), start=1):
        turns.append(ReportedTurn(Who.CALLEE, line, number * 10_000, utterance=number))
        turns.append(ReportedTurn(Who.AGENT, answer, number * 10_000 + 5_000))
    return CallReport(
        turns=tuple(turns),
        tools=(
            ToolUse("save_lead_info", {}, 60_000, 5),
            ToolUse("schedule_callback", {"kind": "demo", "at": AT, "with": "human"}, 75_000, 7),
            ToolUse("end_call", {"outcome": "qualified"}, 96_000, 9),
        ),
        outcome="qualified",
        extracted={
            "contact_role": "owner",
            "is_decision_maker": True,
            "staff_count": 3,
            "booking_tools": ["whatsapp", "paper"],
            "pain_points": ["no_shows"],
            "interest_level": 3,
        },
        suppressed=False,
        active_callbacks=1,
        barge_in_stops_ms=(),
    )


def failed(report: CallReport) -> set[str]:
    checks = evaluate(CARMEN, PEOPLE.common_expect, report)
    assert persona_passes(checks) is not any(
        check.passed is False and check.level is CheckLevel.HARD for check in checks
    )
    return {check.id for check in checks if check.passed is False}


def replaced_answer(number: int, words: str) -> CallReport:
    report = good_call()
    turns = list(report.turns)
    turns[number * 2 - 1] = replace(turns[number * 2 - 1], heard=words)
    return replace(report, turns=tuple(turns))


def test_a_good_call_passes_every_check() -> None:
    assert failed(good_call()) == set()


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ({"outcome": "not_interested"}, "outcome"),
        ({"suppressed": True}, "final_state.suppressed"),
        ({"active_callbacks": 2}, "final_state.active_callbacks"),
        ({"barge_in_stops_ms": (900,)}, "limit.barge_in_stop_ms_max"),
        ({"barge_in_stops_ms": (100, None)}, "limit.barge_in_stop_ms_max"),
        ({"extracted": {}}, "extract.staff_count"),
        ({"tools": ()}, "limit.end_call_exactly_once"),
    ],
)
def test_what_goes_wrong_in_the_record_is_found(change: dict[str, Any], check: str) -> None:
    assert check in failed(replace(good_call(), **change))


@pytest.mark.parametrize(
    ("number", "words", "check"),
    [
        (1, "Hola, le llamo para hablar de su salón.", "must_say.ai_disclosure"),
        (1, "Hola, soy una IA y le llamo para ofrecerle algo.", "must_say.company"),
        (6, "Muy poco, ya lo verá.", "must_say.price"),
        (7, "Le apunto el jueves a las doce.", "must_say.slot_confirmed"),
        (5, "Con Nubelia no le falla nadie, se lo garantizo.", "must_not_say.guarantee"),
        (4, "No, no soy un robot.", "must_not_say.claims_human"),
        (4, "Uno. Dos. Tres. Cuatro.", "limit.sentences_per_turn_max"),
        (4, "¿Uno? ¿Dos?", "limit.questions_per_turn_max"),
    ],
)
def test_what_goes_wrong_in_the_talk_is_found(number: int, words: str, check: str) -> None:
    assert check in failed(replaced_answer(number, words))


def test_a_soft_failure_is_shown_but_does_not_fail_the_persona() -> None:
    report = replaced_answer(8, "Son 50 euros más.")
    assert failed(report) == {"must_not_say.other_price"}
    assert persona_passes(evaluate(CARMEN, PEOPLE.common_expect, report))


def test_questions_for_a_judge_are_listed_and_not_decided() -> None:
    checks = evaluate(CARMEN, PEOPLE.common_expect, good_call())
    judged = [check for check in checks if check.level is CheckLevel.JUDGE]
    assert len(judged) == 3 + sum(len(turn.expect) for turn in CARMEN.turns)
    assert {check.passed for check in judged} == {None}


def test_own_limits_replace_common_ones_of_the_same_name_only() -> None:
    limits = expectations_of(PEOPLE.persona("p09"), PEOPLE.common_expect).limits
    assert (limits.agent_turns_max, limits.words_per_turn_max) == (5, 60)


def test_a_mailbox_is_not_held_to_what_humans_expect() -> None:
    mailbox = PEOPLE.persona("p06")
    assert expectations_of(mailbox, PEOPLE.common_expect) == mailbox.expect
    ended = ToolUse("end_call", {"outcome": "voicemail"}, 9_000, 3)
    report = CallReport((), tools=(ended,), outcome="voicemail", suppressed=False)
    assert persona_passes(evaluate(mailbox, PEOPLE.common_expect, report))


def test_every_persona_can_be_evaluated_on_an_empty_call_and_fails() -> None:
    for persona in PEOPLE.personas:
        checks = evaluate(persona, PEOPLE.common_expect, CallReport(()))
        assert all(isinstance(check, Check) for check in checks)
        assert not persona_passes(checks)


def account(*own: OwnSpeech) -> Account:
    return Account(
        persona_id="p", answered=True, agent_speech=(), own_speech=own, barge_ins=(),
        agent_cut_ins=(), gaps=(), answer_to_first_sound_ms=None, first_words_to_opening_ms=None,
        script_played=True, hung_up_ms=None, ended_ms=None, heard=b"",
    )  # fmt: skip


def test_the_agents_turns_and_the_callees_account_are_put_in_order() -> None:
    own = account(
        OwnSpeech(1, "¿Sí?", 300, 700, to_room=False, cut_in=False),
        OwnSpeech(None, "[beep]", 800, 900, to_room=False, cut_in=False, is_speech=False),
        OwnSpeech(2, "Espera.", 2_000, 2_500, to_room=False, cut_in=True),
    )
    agent = [
        ReportedTurn(Who.AGENT, "Hola", 1_000, interrupted=True),
        ReportedTurn(Who.AGENT, "Diga", 3_000),
    ]
    assert [turn.heard for turn in in_order(agent, own)] == ["¿Sí?", "Hola", "Espera.", "Diga"]
    assert [utterances_begun(own, at_ms) for at_ms in (0, 300, 1_999, 2_000)] == [0, 1, 1, 2]


def test_whatever_is_expected_of_everybody_holds_for_a_person() -> None:
    common = Expectations.model_validate(
        {
            "outcome": "no_answer",
            "outcome_ok": ["callback_requested"],
            "final_state": {"suppressed": False, "active_callbacks": 0},
        }
    )
    merged = expectations_of(CARMEN, common)
    assert merged.outcome == CARMEN.expect.outcome
    assert merged.outcome_ok == ("callback_requested",)
    assert (merged.final_state.suppressed, merged.final_state.active_callbacks) == (False, 1)
    silent = CARMEN.model_copy(update={"expect": Expectations()})
    inherited = expectations_of(silent, common)
    assert inherited.outcome is not None
    assert inherited.outcome.name == "no_answer"
    assert inherited.final_state == common.final_state
