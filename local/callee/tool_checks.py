"""Checks on the tools the agent called.

What must happen counts only where it was done; what must not happen counts from the attempt, also where it was
refused.
"""

from __future__ import annotations

from collections.abc import Iterator

from local.callee.call_report import CallReport, ToolUse
from local.callee.checks import Check, CheckLevel
from local.callee.matching import Rule
from local.callee.persona import RequiredTool, ToolExpectations
from local.callee.value_matching import described, look_up, matches

_END_CALL = "end_call"


def tools(report: CallReport, expected: ToolExpectations) -> Iterator[Check]:
    """One check for each required and each forbidden tool, and one for the order."""
    yield from (_required(report, each) for each in expected.required)
    yield from (_forbidden(report, rule) for rule in expected.forbidden)
    if expected.order:
        yield _order(report, expected)


def end_call_exactly_once(report: CallReport, level: CheckLevel = CheckLevel.HARD) -> Check:
    calls = [each for each in report.tools if each.name == _END_CALL]
    return Check(
        "limit.end_call_exactly_once",
        level,
        len(calls) == 1,
        _moment(calls[-1]) if calls else None,
        "" if len(calls) == 1 else f"called {len(calls)} times",
    )


def _required(report: CallReport, expected: RequiredTool) -> Check:
    name = f"tool.{expected.name}"
    calls = [each for each in report.tools if each.name == expected.name and each.done]
    right = [each for each in calls if not _wrong_arguments(each, expected)]
    in_time = [
        each
        for each in right
        if expected.by_utterance is None or each.utterances_before <= expected.by_utterance
    ]
    level = CheckLevel(expected.level)
    if in_time:
        return Check(name, level, True, _moment(in_time[0]))
    if right:
        detail = (
            f"called after utterance {right[0].utterances_before} had begun,"
            f" due before utterance {(expected.by_utterance or 0) + 1}"
        )
        return Check(name, level, False, _moment(right[0]), detail)
    if calls:
        wrong = "; ".join(_wrong_arguments(calls[-1], expected))
        return Check(name, level, False, _moment(calls[-1]), wrong)
    refused = next((each for each in report.tools if each.name == expected.name), None)
    if refused is not None:
        return Check(name, level, False, _moment(refused), "every call of it was refused")
    return Check(name, level, False, None, "never called")


def _wrong_arguments(call: ToolUse, expected: RequiredTool) -> list[str]:
    return [
        f"{name} is {look_up(call.arguments, name)!r}, expected {described(wanted)}"
        for name, wanted in expected.args.items()
        if not matches(wanted, look_up(call.arguments, name))
    ]


def _forbidden(report: CallReport, rule: Rule) -> Check:
    call = next((each for each in report.tools if each.name == rule.name), None)
    return Check(
        f"tool.forbidden.{rule.name}",
        CheckLevel(rule.level),
        call is None,
        _moment(call) if call else None,
        f"called with {dict(call.arguments)!r}" if call else "",
    )


def _order(report: CallReport, expected: ToolExpectations) -> Check:
    called = iter([each.name for each in report.tools if each.done])
    out_of_order = next((name for name in expected.order if name not in called), None)
    detail = "" if out_of_order is None else f"{out_of_order} does not follow the ones before it"
    level = CheckLevel(expected.level)
    return Check("tool.order", level, out_of_order is None, None, detail)


def _moment(call: ToolUse) -> str:
    return f"{call.name} at {call.at_ms / 1_000:.1f} s"
