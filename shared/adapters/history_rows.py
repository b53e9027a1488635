"""A whole call as rows: one of `calls`, and those of each table that hangs on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from shared.adapters.codec import to_json
from shared.adapters.live_reader import WholeCall
from shared.domain.cost import Cost
from shared.domain.latency import call_latency, turn_latency

Rows = Iterable[tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class Child:
    """A table of rows that belong to a call. `json` names the columns that are JSON text."""

    table: str
    columns: tuple[str, ...]
    rows: Callable[[WholeCall, Cost], Rows]
    json: frozenset[str] = frozenset()


def call_row(whole: WholeCall, cost: Cost, report: Mapping[str, Any]) -> dict[str, object]:
    """Columns of `calls` by name; `metadata` and `report` are JSON text."""
    call, analysis = whole.call, whole.analysis
    reason = call.end_reason
    latency = call_latency(whole.conversation)
    return {
        "tenant_id": call.tenant_id,
        "call_id": call.call_id,
        "version": whole.known,
        "created_at": call.created_at,
        "answered_at": call.answered_at,
        "ended_at": call.ended_at,
        "talk_s": call.talk_s,
        "to_number": call.to_number,
        "from_number": call.from_number,
        "lead_id": call.lead.lead_id,
        "metadata": to_json(call.metadata),
        "status": call.status.value,
        "end_reason": reason.value if reason else None,
        "outcome": analysis.outcome.value if analysis else None,
        "next_step": analysis.next_step.value if analysis else None,
        "summary": analysis.summary if analysis else None,
        "agent_id": call.agent_id,
        "agent_version": call.agent_version,
        "campaign_id": call.campaign_id,
        "answer_to_first_audio_ms": latency.answer_to_first_audio,
        "callee_end_to_opening_ms": latency.callee_end_to_opening,
        "turn_p50_ms": latency.turn_p50,
        "turn_p95_ms": latency.turn_p95,
        "cost_usd": sum(line.amount_usd for line in cost.lines),
        "trace_id": call.trace_id,
        "report": to_json(report),
    }


def _turns(whole: WholeCall, _cost: Cost) -> Rows:
    for turn in whole.conversation.turns:
        waterfall = to_json(asdict(turn_latency(turn.waterfall))) if turn.waterfall else None
        yield (
            turn.n,
            turn.who.value,
            turn.said,
            turn.heard,
            turn.started_ms,
            turn.ended_ms,
            turn.interrupted,
            waterfall,
        )


def _tool_calls(whole: WholeCall, _cost: Cost) -> Rows:
    for n, tool in enumerate(whole.conversation.tools, 1):
        yield (
            n,
            tool.name,
            to_json(tool.arguments),
            tool.status.value,
            to_json(tool.result),
            tool.at_ms,
            tool.turn,
        )


def _duties(whole: WholeCall, _cost: Cost) -> Rows:
    return ((heard.duty.value, heard.heard_at_ms) for heard in whole.conversation.duties)


def _follow_ups(whole: WholeCall, _cost: Cost) -> Rows:
    for promise in whole.promises:
        yield (
            promise.follow_up_id,
            promise.kind.value,
            promise.at,
            promise.timezone,
            promise.with_whom,
            promise.channel,
            promise.address,
            promise.detail,
            promise.cancelled,
        )


def _usage_lines(whole: WholeCall, _cost: Cost) -> Rows:
    analysis = () if whole.analysis_usage is None else (whole.analysis_usage,)
    for n, usage in enumerate((*whole.conversation.usage, *analysis), 1):
        yield (
            n,
            usage.kind.value,
            usage.model,
            usage.text_in,
            usage.text_in_cached,
            usage.audio_in,
            usage.audio_in_cached,
            usage.text_out,
            usage.audio_out,
            usage.seconds,
        )


def _cost_lines(_whole: WholeCall, cost: Cost) -> Rows:
    for line in cost.lines:
        yield line.name, line.quantity, line.unit, line.unit_price_usd, line.amount_usd


def _gate_decisions(whole: WholeCall, _cost: Cost) -> Rows:
    for decision in whole.decisions:
        yield (
            decision.stage.value,
            decision.decided_at,
            decision.allowed,
            decision.reason.value if decision.reason else None,
            decision.policy_version,
            decision.inputs_hash,
            decision.inputs or None,
            to_json(decision.rules),
        )


def _analyses(whole: WholeCall, _cost: Cost) -> Rows:
    analysis = whole.analysis
    if analysis is not None:
        yield (
            analysis.outcome.value,
            sorted(flag.value for flag in analysis.flags),
            analysis.next_step.value,
            to_json(analysis.fields),
            to_json(analysis.opt_out),
            analysis.sentiment,
            analysis.language,
            analysis.reason,
            analysis.model,
            analysis.analysed_at,
        )


CHILDREN = (
    Child(
        "turns",
        ("n", "who", "said", "heard", "started_ms", "ended_ms", "interrupted", "waterfall_ms"),
        _turns,
        frozenset({"waterfall_ms"}),
    ),
    Child(
        "tool_calls",
        ("n", "name", "arguments", "status", "result", "at_ms", "turn"),
        _tool_calls,
        frozenset({"arguments", "result"}),
    ),
    Child("duties", ("duty", "heard_at_ms"), _duties),
    Child(
        "follow_ups",
        (
            *("follow_up_id", "kind", "due_at", "timezone", "with_whom"),
            *("channel", "address", "detail", "cancelled"),
        ),
        _follow_ups,
    ),
    Child(
        "usage_lines",
        (
            *("n", "kind", "model", "text_in", "text_in_cached", "audio_in"),
            *("audio_in_cached", "text_out", "audio_out", "seconds"),
        ),
        _usage_lines,
    ),
    Child("cost_lines", ("name", "quantity", "unit", "unit_price_usd", "amount_usd"), _cost_lines),
    Child(
        "gate_decisions",
        (
            *("stage", "decided_at", "allowed", "reason"),
            *("policy_version", "inputs_hash", "inputs", "rules"),
        ),
        _gate_decisions,
        frozenset({"inputs", "rules"}),
    ),
    Child(
        "analyses",
        (
            *("outcome", "flags", "next_step", "fields", "opt_out"),
            *("sentiment", "language", "reason", "model", "analysed_at"),
        ),
        _analyses,
        frozenset({"fields", "opt_out"}),
    ),
)
