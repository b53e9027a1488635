"""The report of one call, as people and programs read it: the same from the live table and from Aurora."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from shared.adapters.live_reader import WholeCall
from shared.config import SettingError, optional
from shared.domain.call import FactKind
from shared.domain.conversation import ToolStatus, ToolUse, Turn
from shared.domain.cost import MICRO, Cost, cost_of, prices_at
from shared.domain.latency import call_latency, turn_latency
from shared.domain.prices import Residency


def report_of(whole: WholeCall) -> dict[str, Any]:
    """JSON-ready."""
    call, talk, analysis = whole.call, whole.conversation, whole.analysis
    reason = call.end_reason
    return {
        "call_id": call.call_id,
        "tenant_id": call.tenant_id,
        "to": call.to_number,
        "from": call.from_number,
        "lead_id": call.lead.lead_id,
        "metadata": dict(call.metadata),
        "agent": {"id": call.agent_id, "version": call.agent_version},
        "created_at": call.created_at.isoformat(),
        "answered_at": call.answered_at.isoformat() if call.answered_at else None,
        "ended_at": call.ended_at.isoformat() if call.ended_at else None,
        "talk_s": call.talk_s,
        "status": call.status.value,
        "end_reason": reason.value if reason else None,
        "outcome": analysis.outcome.value if analysis else None,
        "flags": sorted(flag.value for flag in analysis.flags) if analysis else [],
        "next_step": analysis.next_step.value if analysis else None,
        "summary": analysis.summary if analysis else None,
        "sentiment": analysis.sentiment if analysis else None,
        "language": analysis.language if analysis else None,
        "extracted": _extracted(whole),
        "turns": [_turn(turn) for turn in talk.turns],
        "tools": [_tool(tool) for tool in talk.tools],
        "duties": {duty.duty.value: duty.heard_at_ms for duty in talk.duties},
        "follow_ups": [_follow_up(f) for f in whole.promises if not f.cancelled],
        "latency_ms": asdict(call_latency(talk)),
        "cost_usd": _cost(cost(whole)),
        "decisions": [
            {
                "stage": decision.stage.value,
                "allowed": decision.allowed,
                "reason": decision.reason.value if decision.reason else None,
                "policy_version": decision.policy_version,
                "inputs": decision.inputs,
                "inputs_hash": decision.inputs_hash,
                "decided_at": decision.decided_at.isoformat(),
            }
            for decision in whole.decisions
        ],
        "trace_id": call.trace_id,
    }


def cost(whole: WholeCall) -> Cost:
    """The cost of a call by the prices of its day. Raises SettingError where DATA_RESIDENCY is no known region."""
    call = whole.call
    usage = list(whole.conversation.usage)
    if whole.analysis_usage is not None:
        usage.append(whole.analysis_usage)
    verdict = call.has(FactKind.MACHINE_VERDICT)
    prices = prices_at(call.created_at.date()).within(_residency())
    return cost_of(usage, call.to_number, call.talk_s, verdict, prices)


def _residency() -> Residency:
    """Where the model's provider keeps our data, which has its price."""
    name = optional("DATA_RESIDENCY")
    try:
        return Residency(name)
    except ValueError as error:
        known = ", ".join(region.value for region in Residency if region.value)
        raise SettingError(f"DATA_RESIDENCY is empty or one of: {known}") from error


def _extracted(whole: WholeCall) -> dict[str, Any]:
    analysis = whole.analysis
    if analysis is None:
        return {}
    fields: dict[str, Any] = {
        name: {
            "value": field.value,
            "turn": field.evidence.turn,
            "quote": field.evidence.quote,
        }
        for name, field in analysis.fields.items()
    }
    opt_out = analysis.opt_out
    fields["opt_out"] = {
        "requested": opt_out.requested,
        "scope": opt_out.scope,
        "quote": opt_out.quote,
        "reference": opt_out.reference,
    }
    return fields


def _turn(turn: Turn) -> dict[str, Any]:
    body: dict[str, Any] = {
        "n": turn.n,
        "who": turn.who.value,
        "said": turn.said,
        "heard": turn.heard,
        "started_ms": turn.started_ms,
        "ended_ms": turn.ended_ms,
        "interrupted": turn.interrupted,
    }
    if turn.waterfall is not None:
        body["waterfall_ms"] = asdict(turn_latency(turn.waterfall))
    return body


def _tool(tool: ToolUse) -> dict[str, Any]:
    return {
        "name": tool.name,
        "arguments": dict(tool.arguments),
        "at_ms": tool.at_ms,
        "done": tool.status is ToolStatus.DONE,
        "result": dict(tool.result),
    }


def _follow_up(follow_up: Any) -> dict[str, Any]:
    return {
        "kind": follow_up.kind.value,
        "at": follow_up.at.isoformat() if follow_up.at else None,
        "timezone": follow_up.timezone,
        "with": follow_up.with_whom,
        "channel": follow_up.channel,
        "address": follow_up.address,
        "detail": follow_up.detail,
    }


def _cost(amount: Cost) -> dict[str, Any]:
    lines = {line.name: round(line.amount_micro_usd / MICRO, 6) for line in amount.lines}
    return {"total": round(amount.total_usd, 6), **lines}
