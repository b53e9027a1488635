from typing import Any

import pytest

from local.callee.call_report import CallReport, ToolUse
from local.callee.checks import Check, CheckLevel
from local.callee.persona import RequiredTool, ToolExpectations
from local.callee.tool_checks import end_call_exactly_once, tools


def use(name: str, utterances_before: int = 0, **arguments: object) -> ToolUse:
    return ToolUse(name, arguments, at_ms=2_500, utterances_before=utterances_before)


def refused(name: str) -> ToolUse:
    return ToolUse(name, {}, at_ms=2_500, utterances_before=0, done=False)


def checked(expected: dict[str, Any], *uses: ToolUse) -> dict[str, Check]:
    found = tools(CallReport((), tools=uses), ToolExpectations.model_validate(expected))
    return {check.id: check for check in found}


DEMO = {
    "required": [
        {
            "name": "schedule_callback",
            "args": {"kind": "demo", "at": "2026-11-26T11:00:00+01:00", "with": "human"},
            "by_utterance": 8,
        }
    ]
}
AT = "2026-11-26T11:00:00+01:00"


@pytest.mark.parametrize(
    ("uses", "detail"),
    [
        ([use("schedule_callback", 8, kind="demo", at=AT, **{"with": "human"})], None),
        (
            [
                use("schedule_callback", 5, kind="callback", at=AT, **{"with": "human"}),
                use("schedule_callback", 7, kind="demo", at=AT, **{"with": "human"}),
            ],
            None,
        ),
        ([use("schedule_callback", 9, kind="demo", at=AT, **{"with": "human"})], "utterance 9"),
        ([use("schedule_callback", 8, kind="callback", at=AT, **{"with": "human"})], "'callback'"),
        ([use("schedule_callback", 8, kind="demo", at=AT)], "with is None"),
        ([use("save_lead_info", 1)], "never called"),
        ([], "never called"),
    ],
)
def test_a_required_tool(uses: list[ToolUse], detail: str | None) -> None:
    check = checked(DEMO, *uses)["tool.schedule_callback"]
    assert check.passed is (detail is None)
    assert (detail or "") in check.detail


def test_arguments_may_be_expected_by_pattern_or_choice() -> None:
    tool = RequiredTool.model_validate(
        {"name": "x", "args": {"quote": {"regex": "paz"}, "outcome": {"any_of": ["a", "b"]}}}
    )
    expected = {"required": [tool.model_dump()]}
    assert tool.model_dump()["args"]["quote"] == {"regex": "paz", "level": "hard"}
    assert checked(expected, use("x", quote="Déjeme en paz", outcome="b"))["tool.x"].passed
    assert not checked(expected, use("x", quote="adiós", outcome="b"))["tool.x"].passed


def test_a_forbidden_tool_fails_with_its_arguments() -> None:
    expected = {"forbidden": ["register_opt_out", "transfer_to_human"]}
    found = checked(expected, use("register_opt_out", quote="x"))
    assert not found["tool.forbidden.register_opt_out"].passed
    assert found["tool.forbidden.register_opt_out"].moment == "register_opt_out at 2.5 s"
    assert found["tool.forbidden.transfer_to_human"].passed


@pytest.mark.parametrize(
    ("called", "passed"),
    [("a b c", True), ("a x b x c", True), ("b a b c", True), ("b a c", False), ("a c", False)],
)
def test_order(called: str, passed: bool) -> None:
    expected = {"order": ["a", "b", "c"]}
    assert checked(expected, *map(use, called.split()))["tool.order"].passed is passed


@pytest.mark.parametrize(("times", "passed"), [(0, False), (1, True), (2, False)])
def test_the_call_is_ended_exactly_once(times: int, passed: bool) -> None:
    report = CallReport((), tools=(use("end_call"),) * times)
    assert end_call_exactly_once(report).passed is passed


def test_a_refused_call_does_nothing_that_is_required() -> None:
    check = checked({"required": [{"name": "save_lead_info"}]}, refused("save_lead_info"))[
        "tool.save_lead_info"
    ]
    assert (check.passed, check.detail) == (False, "every call of it was refused")


def test_a_refused_call_is_still_an_attempt_at_what_is_forbidden() -> None:
    found = checked({"forbidden": ["transfer_to_human"]}, refused("transfer_to_human"))
    assert not found["tool.forbidden.transfer_to_human"].passed


def test_a_refused_end_of_the_call_counts_among_those_called() -> None:
    report = CallReport((), tools=(refused("end_call"), use("end_call")))
    assert not end_call_exactly_once(report).passed


def test_soft_tool_checks_are_soft() -> None:
    expected = {
        "forbidden": [{"name": "end_call", "level": "soft"}],
        "order": ["end_call", "save_lead_info"],
        "level": "soft",
    }
    found = checked(expected, use("save_lead_info"), use("end_call"))
    assert {check.passed for check in found.values()} == {False}
    assert {check.level for check in found.values()} == {CheckLevel.SOFT}
