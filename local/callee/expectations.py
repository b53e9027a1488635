"""Whether a call went as its persona expects.

The meaning of every check stands at the head of `personas.yaml`. Questions for a judge are listed
as checks that nobody has decided.
"""

from __future__ import annotations

from typing import TypeVar

from local.callee import record_checks, tool_checks, transcript_checks, turn_taking_checks
from local.callee.call_report import CallReport
from local.callee.checks import Check, CheckLevel
from local.callee.persona import (
    AnsweredBy,
    Expectations,
    FinalState,
    Limits,
    Persona,
    ToolExpectations,
)

Part = TypeVar("Part", Limits, FinalState)


def expectations_of(persona: Persona, common: Expectations) -> Expectations:
    """What holds for `persona`: its own expectations, and for a human `common` as well.

    The persona's own outcome, order of tools, limits and final state replace common ones of the same name; everything
    else adds up.
    """
    own = persona.expect
    if persona.answered_by is not AnsweredBy.HUMAN:
        return own
    return own.model_copy(
        update={
            "outcome": own.outcome or common.outcome,
            "outcome_ok": common.outcome_ok + own.outcome_ok,
            "flags": common.flags + own.flags,
            "must_say": common.must_say + own.must_say,
            "must_not_say": common.must_not_say + own.must_not_say,
            "must_not_store": common.must_not_store + own.must_not_store,
            "tools": _tools(common.tools, own.tools),
            "extract": {**common.extract, **own.extract},
            "final_state": _overridden(common.final_state, own.final_state),
            "limits": _overridden(common.limits, own.limits),
            "judge": common.judge + own.judge,
        }
    )


def evaluate(persona: Persona, common: Expectations, report: CallReport) -> list[Check]:
    """Every check of `persona` on `report`, in the order of the persona file."""
    expected = expectations_of(persona, common)
    checks = [
        *record_checks.outcome(report, expected),
        *(transcript_checks.must_say(report, each) for each in expected.must_say),
        *(transcript_checks.must_not_say(report, each) for each in expected.must_not_say),
        *record_checks.must_not_store(report, expected.must_not_store),
        *tool_checks.tools(report, expected.tools),
        *record_checks.extracted(report, expected.extract),
        *record_checks.final_state(report, expected.final_state),
        *transcript_checks.limits(report, expected.limits),
        *turn_taking_checks.rooms(report),
        *turn_taking_checks.interruptions(report, persona.turns),
    ]
    if expected.limits.end_call_exactly_once:
        level = CheckLevel(expected.limits.level)
        checks.append(tool_checks.end_call_exactly_once(report, level))
    return [*checks, *_for_judges(persona, expected)]


def _tools(common: ToolExpectations, own: ToolExpectations) -> ToolExpectations:
    return ToolExpectations(
        required=common.required + own.required,
        forbidden=common.forbidden + own.forbidden,
        order=own.order or common.order,
        level=own.level if own.order else common.level,
    )


def _overridden(common: Part, own: Part) -> Part:
    return common.model_copy(update={name: getattr(own, name) for name in own.model_fields_set})


def _for_judges(persona: Persona, expected: Expectations) -> list[Check]:
    after_turns = [
        Check(f"judge.turn_{number}", CheckLevel.JUDGE, None, f"after turn {number}", question)
        for number, turn in enumerate(persona.turns, start=1)
        for question in turn.expect
    ]
    whole_call = [
        Check("judge.call", CheckLevel.JUDGE, None, None, question) for question in expected.judge
    ]
    return after_turns + whole_call
