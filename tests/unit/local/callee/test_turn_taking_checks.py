"""Words to the room and interruptions: who began to speak when."""

from __future__ import annotations

from local.callee.call_report import CallReport, ReportedTurn, Who
from local.callee.persona import Turn
from local.callee.turn_taking_checks import interruptions, rooms


def agent(started_ms: int, ended_ms: int) -> ReportedTurn:
    return ReportedTurn(Who.AGENT, "Le llamo", started_ms, ended_ms=ended_ms)


def callee(utterance: int, started_ms: int, ended_ms: int, **more: bool) -> ReportedTurn:
    return ReportedTurn(Who.CALLEE, "x", started_ms, utterance, ended_ms=ended_ms, **more)


def room(*agent_turns: ReportedTurn) -> list[bool | None]:
    own = [callee(1, 1_000, 2_000, to_room=True), callee(2, 5_000, 6_000)]
    turns = sorted([*own, *agent_turns], key=lambda turn: turn.started_ms)
    return [check.passed for check in rooms(CallReport(tuple(turns)))]


def test_nothing_may_begin_between_words_to_the_room_and_the_callees_next() -> None:
    assert room() == [True]
    assert room(agent(2_500, 3_000)) == [False]
    assert room(agent(7_000, 8_000)) == [True]


def test_what_was_under_way_may_go_on() -> None:
    assert room(agent(500, 4_000)) == [True]


def test_after_the_last_words_to_the_room_the_agent_may_begin_nothing_at_all() -> None:
    line = callee(1, 1_000, 2_000, to_room=True)
    report = CallReport((line, agent(9_000, 9_500)))
    assert [check.passed for check in rooms(report)] == [False]


CUTS_IN = (Turn(say="¿Sí?"), Turn(say="Espere.", when="interrupt", at_ms=1_000))  # type: ignore[arg-type]


def cut_in(*turns: ReportedTurn) -> bool | None:
    (check,) = interruptions(CallReport(turns), CUTS_IN)
    return check.passed


def test_a_line_that_interrupts_must_have_cut_in() -> None:
    assert cut_in(agent(1_000, 2_400), callee(2, 2_000, 2_800, cut_in=True))


def test_an_agent_that_had_finished_before_it_was_due_is_not_interrupted() -> None:
    assert cut_in(agent(1_000, 1_900), callee(2, 2_600, 3_000))


def test_an_agent_that_spoke_on_without_being_interrupted_fails_the_persona() -> None:
    assert not cut_in(agent(1_000, 9_000), callee(2, 9_700, 10_000))
    assert not cut_in(callee(1, 0, 500), agent(1_000, 9_000))
