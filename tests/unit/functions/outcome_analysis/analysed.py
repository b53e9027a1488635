"""From what was said in a call to its analysis, with the scripted analyst where the text model would be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from openai.lib._pydantic import to_strict_json_schema

from functions.outcome_analysis.answer import AnalysisAnswer
from functions.outcome_analysis.by_rule import analysis_by_rule
from functions.outcome_analysis.objection import objection
from functions.outcome_analysis.transcript import INSTRUCTIONS, transcript
from functions.outcome_analysis.verdict import analysis_of
from local.realtime.mind.analyst import RuleAnalyst
from shared.adapters.live_reader import WholeCall
from shared.domain.agent import Duty
from shared.domain.call import FactKind
from shared.domain.conversation import (
    Conversation,
    DutyHeard,
    FollowUp,
    FollowUpKind,
    Suppression,
    ToolStatus,
    ToolUse,
)
from shared.domain.outcome import Analysis
from tests.sample_calls import TALKED, a_call, a_whole_call, turns

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
SCHEMA: dict[str, Any] = to_strict_json_schema(AnalysisAnswer)


def a_talk(
    lines: Sequence[str], tools: Sequence[tuple[str, Mapping[str, object]]] = (), **changes: Any
) -> WholeCall:
    """`S: ...` and `P: ...` lines; tools as called at the end, with the promises that they make."""
    spoken = turns(*lines)
    last = spoken[-1].n if spoken else 1
    used = tuple(
        ToolUse(f"t{n}", name, given, ToolStatus.DONE, {"ok": True}, last * 1_000, last)
        for n, (name, given) in enumerate(tools)
    )
    talk = Conversation(
        turns=spoken,
        tools=used,
        duties=tuple(DutyHeard(duty, 5_000) for duty in Duty),
        follow_ups=tuple(promise for one in used if (promise := _promise(one)) is not None),
    )
    kinds = changes.pop("kinds", TALKED)
    return a_whole_call(
        call=a_call(kinds=kinds), conversation=talk, analysis=None, analysis_usage=None, **changes
    )


def _promise(tool: ToolUse) -> FollowUp | None:
    given = {name: str(value) for name, value in tool.arguments.items()}
    if tool.name == "schedule_callback":
        at = datetime.fromisoformat(given["at"])
        kind = FollowUpKind(given["kind"])
        return FollowUp("callback", kind, at, given.get("timezone"), given.get("with"))
    if tool.name == "send_information":
        kind = FollowUpKind.INFORMATION
        return FollowUp("info", kind, channel=given["channel"], address=given["address"])
    return None


def analysed(whole: WholeCall, registered: Suppression | None = None) -> Analysis:
    """As the function does it, without stores and sockets."""
    by_rule = analysis_by_rule(whole, objection(whole, None, registered), NOW)
    if by_rule is not None:
        return by_rule
    given = RuleAnalyst().answer(INSTRUCTIONS, transcript(whole), SCHEMA)
    answer = AnalysisAnswer.model_validate(given)
    return analysis_of(whole, answer, objection(whole, answer, registered), "test", NOW)


def machine_call(*lines: str) -> WholeCall:
    """A call that the engine left because a machine answered."""
    return a_talk(lines, kinds=(*TALKED, (FactKind.VOICEMAIL, 30)))
