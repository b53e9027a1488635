"""Checks on who spoke when: nobody answers words to the room, and whoever was to be interrupted was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from local.callee.call_report import CallReport, ReportedTurn, Who
from local.callee.checks import Check, CheckLevel, turn_moment
from local.callee.persona import Turn, When
from local.carrier.far_end import FRAME_MS


def rooms(report: CallReport) -> Iterator[Check]:
    """For each line to the room: the agent begins nothing until the callee speaks again. What was under way goes on."""
    callee = [turn for turn in report.turns if turn.who is Who.CALLEE]
    for line, following in zip_longest(callee, callee[1:]):
        if not line.to_room or line.ended_ms is None:
            continue
        until_ms = None if following is None else following.started_ms
        answers = [
            (number, turn)
            for number, turn in enumerate(report.agent_turns, start=1)
            if turn.started_ms >= line.ended_ms and (until_ms is None or turn.started_ms < until_ms)
        ]
        yield Check(
            f"to_room.utterance_{line.utterance}",
            CheckLevel.HARD,
            not answers,
            turn_moment(*answers[0]) if answers else None,
            f"answered {answers[0][1].heard!r}" if answers else "",
        )


def interruptions(report: CallReport, script: Sequence[Turn]) -> Iterator[Check]:
    """For each line that interrupts: it cut in, unless the agent's turn was over by the moment it was due."""
    utterance = 0
    for turn in script:
        utterance += turn.say is not None
        if turn.say is None or turn.when is not When.INTERRUPT or turn.at_ms is None:
            continue
        lasted = _turn_to_interrupt(report, utterance)
        spoken = _line(report, utterance)
        missed = (
            lasted is not None
            and not (spoken and spoken.cut_in)
            and (lasted.ended_ms or lasted.started_ms) - lasted.started_ms > turn.at_ms + FRAME_MS
        )
        yield Check(
            f"barge_in.utterance_{utterance}",
            CheckLevel.HARD,
            not missed,
            f"agent turn at {lasted.started_ms / 1_000:.1f} s" if missed and lasted else None,
            "the agent spoke on and was not interrupted" if missed else "",
        )


def _line(report: CallReport, utterance: int) -> ReportedTurn | None:
    return next((turn for turn in report.turns if turn.utterance == utterance), None)


def _turn_to_interrupt(report: CallReport, utterance: int) -> ReportedTurn | None:
    """The agent's last turn begun before the line; where the line never came, the last of all."""
    line = _line(report, utterance)
    before = [
        turn for turn in report.agent_turns if line is None or turn.started_ms < line.started_ms
    ]
    return before[-1] if before else None
