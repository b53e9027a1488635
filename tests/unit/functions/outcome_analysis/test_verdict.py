"""What code makes of the analyst's answer: quotes must stand, objections win, booked times count, ranks decide."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from functions.outcome_analysis.answer import AnalysisAnswer
from functions.outcome_analysis.objection import objection
from functions.outcome_analysis.verdict import analysis_of
from shared.adapters.live_reader import WholeCall
from shared.domain.agent import Duty
from shared.domain.call import FactKind
from shared.domain.conversation import (
    DutyHeard,
    FollowUp,
    FollowUpKind,
    Suppression,
    ToolStatus,
    ToolUse,
)
from shared.domain.outcome import Analysis, Flag, NextStep, Outcome
from tests.sample_calls import DEMO_AT, TALKED, a_call, a_tool
from tests.unit.functions.outcome_analysis.analysed import SCHEMA, a_talk

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
LINES = (
    "P: ¿Sí? Dígame.",
    "S: Hola, soy Sofía. ¿Cómo lleva las citas?",
    "P: Soy la dueña. Con papel, y me fallan muchas clientas.",
    "S: ¿El jueves a las once?",
    "P: Vale, el jueves a las once.",
)
BOOKED = (
    "schedule_callback",
    {"kind": "demo", "at": DEMO_AT.isoformat(), "timezone": "Europe/Madrid", "with": "human"},
)
DECIDES = {"turn": 3, "quote": "Soy la dueña", "value": True}
PAIN = {"turn": 3, "quote": "me fallan muchas clientas", "value": ["no_shows"]}


def an_answer(**given: Any) -> AnalysisAnswer:
    nothing: dict[str, Any] = dict.fromkeys(SCHEMA["properties"])
    nothing |= {
        "opt_out": {"turn": None, "quote": None, "scope": None, "requested": False},
        "language": "es",
        "sentiment": "neutral",
        "flags": [],
        "reason": "porque sí",
        "outcome": "inconclusive",
        "next_step": "none",
        "summary": "Un resumen.",
    }
    return AnalysisAnswer.model_validate(nothing | given)


def verdict(whole: WholeCall, registered: Suppression | None = None, **given: Any) -> Analysis:
    answer = an_answer(**given)
    return analysis_of(whole, answer, objection(whole, answer, registered), "test", NOW)


@pytest.mark.parametrize(
    ("turn", "quote", "stands"),
    [
        (3, "Soy la dueña", True),
        (3, "soy LA DUENA.", True),
        (3, "la dueña con papel", True),
        (3, "Soy la due", False),
        (3, "soy el dueño", False),
        (5, "Soy la dueña", False),
        (4, "¿El jueves a las once?", False),
        (99, "Soy la dueña", False),
        (3, "", False),
        (3, "…", False),
    ],
)
def test_a_field_without_its_words_is_dropped(turn: int, quote: str, stands: bool) -> None:
    role = {"turn": turn, "quote": quote, "value": "owner"}
    assert ("contact_role" in verdict(a_talk(LINES), contact_role=role).fields) is stands


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("callback_at", "el jueves"),
        ("callback_at", "2026-11-26T11:00:00"),
        ("callback_timezone", "Mars/North"),
        ("email", "dueña arroba salon"),
        ("whatsapp_number", "este"),
        ("contact_name", "  "),
        ("timing", "cuando su marido salga del hospital"),
        ("booking_tools", []),
    ],
)
def test_a_value_that_cannot_be_is_dropped(name: str, value: object) -> None:
    given = {name: {"turn": 3, "quote": "Soy la dueña", "value": value}}
    assert name not in verdict(a_talk(LINES), **given).fields


def test_the_booked_time_counts_and_a_difference_is_flagged() -> None:
    misread = {"turn": 5, "quote": "el jueves a las once", "value": "2026-11-26T23:00:00+01:00"}
    analysis = verdict(a_talk(LINES, [BOOKED]), callback_at=misread)
    assert analysis.fields["callback_at"].value == DEMO_AT.isoformat()
    assert analysis.fields["callback_at"].evidence.turn == 5
    assert Flag.AGENT_ERROR in analysis.flags


def test_the_same_moment_written_in_another_zone_is_no_difference() -> None:
    same = {"turn": 5, "quote": "a las once", "value": "2026-11-26T10:00:00+00:00"}
    assert Flag.AGENT_ERROR not in verdict(a_talk(LINES, [BOOKED]), callback_at=same).flags


def test_a_booked_time_that_the_analyst_missed_stands_on_the_words_before_it() -> None:
    fields = verdict(a_talk(LINES, [BOOKED])).fields
    assert fields["callback_at"].evidence.turn == 5
    assert fields["callback_timezone"].value == "Europe/Madrid"
    assert fields["callback_with"].value == "human"


def test_a_time_that_was_called_off_is_gone() -> None:
    whole = a_talk(LINES, [BOOKED, ("cancel_callback", {})])
    off = FollowUp("callback", FollowUpKind.CALLBACK, cancelled=True)
    whole = replace(whole, conversation=replace(whole.conversation, follow_ups=(off,)))
    read = {"turn": 5, "quote": "a las once", "value": DEMO_AT.isoformat()}
    analysis = verdict(whole, callback_at=read, outcome="callback_requested", next_step="callback")
    assert "callback_at" not in analysis.fields
    assert analysis.next_step is NextStep.NONE


def test_who_decides_has_a_problem_and_agreed_to_an_hour_is_qualified() -> None:
    whole = a_talk(LINES, [BOOKED])
    analysis = verdict(
        whole, is_decision_maker=DECIDES, pain_points=PAIN, outcome="callback_requested"
    )
    assert (analysis.outcome, analysis.next_step) == (Outcome.QUALIFIED, NextStep.DEMO)


@pytest.mark.parametrize(
    ("given", "tools", "outcome"),
    [
        ({"is_decision_maker": DECIDES}, [BOOKED], Outcome.CALLBACK_REQUESTED),
        ({"is_decision_maker": {**DECIDES, "value": False}, "pain_points": PAIN}, [BOOKED],
         Outcome.CALLBACK_REQUESTED),
        ({"is_decision_maker": DECIDES, "pain_points": PAIN}, [], Outcome.INCONCLUSIVE),
        ({"pain_points": PAIN, "email_consent": {"turn": 5, "quote": "vale", "value": True}}, [],
         Outcome.INFO_REQUESTED),
    ],
)  # fmt: skip
def test_qualified_without_proof_is_less_and_flagged(
    given: dict[str, Any], tools: list[Any], outcome: Outcome
) -> None:
    analysis = verdict(a_talk(LINES, tools), outcome="qualified", **given)
    assert analysis.outcome is outcome
    assert Flag.AGENT_ERROR in analysis.flags


def test_what_ranks_first_wins_over_the_analysts_word() -> None:
    sent = ("send_information", {"channel": "email", "address": "a@b.es"})
    assert verdict(a_talk(LINES, [sent])).outcome is Outcome.INFO_REQUESTED
    assert verdict(a_talk(LINES, [sent, BOOKED])).outcome is Outcome.CALLBACK_REQUESTED
    through = ("transfer_to_human", {"reason": "lo pide"})
    assert verdict(a_talk(LINES, [sent, through])).outcome is Outcome.TRANSFERRED
    failed = replace(a_tool("transfer_to_human"), result={"ok": False, "error": "nadie"})
    whole = a_talk(LINES)
    whole = replace(whole, conversation=replace(whole.conversation, tools=(failed,)))
    analysis = verdict(whole, outcome="human_requested")
    assert (analysis.outcome, analysis.next_step) == (Outcome.HUMAN_REQUESTED, NextStep.HUMAN)
    assert Flag.HUMAN_REQUESTED in analysis.flags


def test_an_address_that_was_used_counts() -> None:
    sent = ("send_information", {"channel": "email", "address": "ana@salon.es"})
    misheard = {"turn": 3, "quote": "soy la dueña", "value": "anna@salon.es"}
    field = verdict(a_talk(LINES, [sent]), email=misheard).fields["email"]
    assert (field.value, field.evidence.turn) == ("ana@salon.es", 3)


def objected_by_tool() -> WholeCall:
    tool = ToolUse(
        "t9",
        "register_opt_out",
        {"scope": "platform", "quote": "no más"},
        ToolStatus.DONE,
        {"ok": True, "reference": "OP-7K3QA"},
        9_000,
        5,
    )
    whole = a_talk(LINES, [BOOKED])
    return replace(whole, conversation=replace(whole.conversation, tools=(tool,)))


def registered_by(call_id: str) -> Suppression:
    return Suppression("t1", "key", "tenant", "OP-9", NOW, "call", call_id, "que no me llamen")


def test_an_objection_by_tool_wins_with_its_reference() -> None:
    analysis = verdict(objected_by_tool(), outcome="qualified", next_step="demo")
    assert (analysis.outcome, analysis.next_step) == (Outcome.DO_NOT_CALL, NextStep.NONE)
    assert (analysis.opt_out.scope, analysis.opt_out.reference) == ("platform", "OP-7K3QA")
    assert "callback_at" not in analysis.fields


def test_a_tool_that_failed_registered_nothing_but_the_words_count() -> None:
    whole = objected_by_tool()
    failed = replace(whole.conversation.tools[0], status=ToolStatus.FAILED)
    whole = replace(whole, conversation=replace(whole.conversation, tools=(failed,)))
    assert not verdict(whole).opt_out.requested
    spoken = a_talk((*LINES, "S: Gracias.", "P: Y no me llamen más, por favor."))
    analysis = verdict(spoken, outcome="callback_requested")
    assert analysis.outcome is Outcome.DO_NOT_CALL
    assert analysis.opt_out.quote == "Y no me llamen más, por favor."


def test_an_objection_on_record_counts_if_it_is_of_this_call() -> None:
    analysis = verdict(a_talk(LINES), registered_by("c1"), outcome="inconclusive")
    assert analysis.outcome is Outcome.DO_NOT_CALL
    assert (analysis.opt_out.quote, analysis.opt_out.reference) == ("que no me llamen", "OP-9")
    assert not verdict(a_talk(LINES), registered_by("another")).opt_out.requested


OBJECTS = {"turn": 5, "quote": "vale, el jueves", "scope": "platform", "requested": True}
PARAPHRASED = {**OBJECTS, "quote": "no me llame"}
NO_OBJECTION = {"turn": None, "quote": None, "scope": None, "requested": False}


def test_the_analysts_word_for_an_objection_that_stands_is_kept_with_its_quote() -> None:
    analysis = verdict(a_talk(LINES), opt_out=OBJECTS)
    assert analysis.outcome is Outcome.DO_NOT_CALL
    assert (analysis.opt_out.quote, analysis.opt_out.scope) == ("vale, el jueves", "platform")
    assert Flag.AGENT_ERROR not in analysis.flags


@pytest.mark.parametrize(
    ("opt_out", "outcome"),
    [
        (PARAPHRASED, "do_not_call"),
        (PARAPHRASED, "not_interested"),
        (NO_OBJECTION, "do_not_call"),
        ({**OBJECTS, "requested": False}, "do_not_call"),
    ],
)
def test_the_analysts_word_for_an_objection_counts_without_words_to_show_and_is_flagged(
    opt_out: dict[str, Any], outcome: str
) -> None:
    analysis = verdict(a_talk(LINES), opt_out=opt_out, outcome=outcome)
    assert analysis.outcome is Outcome.DO_NOT_CALL
    assert analysis.opt_out.requested
    shown = opt_out["quote"] == OBJECTS["quote"]
    assert (analysis.opt_out.quote is not None) is shown
    assert (Flag.AGENT_ERROR in analysis.flags) is not shown


@pytest.mark.parametrize("outcome", ["wrong_number", "business_closed"])
def test_a_number_that_is_no_business_is_no_objection_even_once_it_is_suppressed(
    outcome: str,
) -> None:
    suppressed = replace(registered_by("c1"), source=outcome, quote=None)
    analysis = verdict(a_talk(LINES), suppressed, outcome=outcome)
    assert analysis.outcome.value == outcome
    assert not analysis.opt_out.requested


@pytest.mark.parametrize(
    ("outcome", "flag"),
    [("wrong_number", None), ("minor_answered", Flag.MINOR)],
)
def test_of_strangers_and_children_nothing_is_kept(outcome: str, flag: Flag | None) -> None:
    role = {"turn": 3, "quote": "Soy la dueña", "value": "owner"}
    analysis = verdict(
        a_talk(LINES), contact_role=role, outcome=outcome, summary="Es un jubilado de Toledo."
    )
    assert analysis.outcome.value == outcome
    assert dict(analysis.fields) == {}
    assert "jubilado" not in analysis.summary
    assert flag is None or flag in analysis.flags


def test_a_wrong_number_that_objects_is_a_wrong_number() -> None:
    analysis = verdict(objected_by_tool(), outcome="wrong_number")
    assert analysis.outcome is Outcome.WRONG_NUMBER
    assert analysis.opt_out.requested


def test_intimate_details_do_not_get_into_the_summary() -> None:
    summary = "Usa papel. Su marido está enfermo. Prefiere el jueves."
    analysis = verdict(a_talk(LINES), summary=summary, reason="Está de luto. Duda.")
    assert analysis.summary == "Usa papel. Prefiere el jueves."
    assert analysis.reason == "Duda."
    assert Flag.SENSITIVE_DATA_REDACTED in analysis.flags
    assert Flag.SENSITIVE_DATA_REDACTED not in verdict(a_talk(LINES)).flags


@pytest.mark.parametrize(
    ("outcome", "owed"),
    [("inconclusive", True), ("not_interested", True), ("hung_up", False), ("voicemail", False)],
)
def test_duties_that_were_not_heard_are_flagged_where_they_were_owed(
    outcome: str, owed: bool
) -> None:
    whole = a_talk(LINES)
    some = tuple(DutyHeard(duty, 1) for duty in Duty if duty is not Duty.RIGHT_TO_OBJECT)
    whole = replace(whole, conversation=replace(whole.conversation, duties=some))
    assert (Flag.OPENING_INCOMPLETE in verdict(whole, outcome=outcome).flags) is owed
    assert Flag.OPENING_INCOMPLETE not in verdict(a_talk(LINES), outcome=outcome).flags


def test_a_line_that_broke_is_our_fault() -> None:
    whole = replace(a_talk(LINES), call=a_call(kinds=(*TALKED, (FactKind.DROPPED, 60))))
    assert Flag.AGENT_ERROR in verdict(whole).flags


@pytest.mark.parametrize(
    ("given", "kept"), [("ES", "es"), ("es-ES", "es"), ("?", None), ("", None)]
)
def test_languages_are_two_letters(given: str, kept: str | None) -> None:
    assert verdict(a_talk(LINES), language=given).language == kept
