"""A finished call in the terms of the persona file, and whether it went as its persona expects.

What was said and when is taken from the callee's ear, what was stored from the stores themselves. With the real model
nobody knows what it produced: then the twin's ears listen to what the callee heard, and agreement is not decided.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from local.callee.account import Account
from local.callee.call_report import (
    CallReport,
    ReportedTurn,
    StoredText,
    ToolUse,
    Who,
    in_order,
    utterances_begun,
)
from local.callee.checks import Check, CheckLevel
from local.callee.ear import HeardTurn, heard_turns
from local.callee.expectations import evaluate
from local.callee.hearing_checks import ToldTurn, hearing_checks
from local.callee.persona import Persona
from local.placing import Placed
from local.session import Session
from local.speech.ports import BYTES_PER_MS, Ears
from local.stored_texts import stored_texts
from shared.domain.call import CallStatus
from shared.domain.errors import NotFound

REMEMBERED_WITHIN_S = 20.0
_POLL_S = 0.2


async def judged(session: Session, placed: Placed, persona: Persona, tenant_id: str) -> list[Check]:
    """Every check of the persona on its call, and those by which the product's own account of it must be true."""
    account = placed.actor.account()
    if not await remembered(session, tenant_id, placed.report):
        status = placed.report["status"]
        detail = f"the call is {status} and not in PostgreSQL"
        return [Check("call.remembered", CheckLevel.HARD, False, None, detail)]
    suppression = session.twin.suppressions.find(tenant_id, placed.report["to"])
    stored = await asyncio.to_thread(
        stored_texts, session.twin, tenant_id, placed.report["call_id"]
    )
    if suppression is not None:
        stored = (*stored, StoredText("suppression.quote", suppression.quote or ""))
    checks: list[Check] = []
    if session.is_scripted:
        heard = heard_turns(account, placed.produced)
        turns = [_reported(turn) for turn in heard]
        cut_in_ms = [barge_in.start_ms for barge_in in account.barge_ins]
        checks += hearing_checks(_told(placed.report), heard, cut_in_ms)
    else:
        turns = await _recognised(account, session.ears)
    report = call_report(placed, turns, suppression is not None, stored)
    return [*evaluate(persona, session.personas.common_expect, report), *checks]


def call_report(
    placed: Placed,
    agent_turns: Sequence[ReportedTurn],
    suppressed: bool,
    stored: tuple[StoredText, ...],
) -> CallReport:
    """`agent_turns` are those of the callee's ear; `suppressed` is whether the number is on the tenant's list now."""
    report, account = placed.report, placed.actor.account()
    callbacks = [f for f in report["follow_ups"] if f["kind"] in ("demo", "callback")]
    return CallReport(
        turns=in_order(agent_turns, account),
        tools=tuple(_tool(tool, placed.stream_since_ms, account) for tool in report["tools"]),
        outcome=report["outcome"],
        flags=frozenset(report["flags"]),
        extracted=_extracted(report),
        suppressed=suppressed,
        active_callbacks=len(callbacks),
        stored=stored,
        barge_in_stops_ms=tuple(barge_in.agent_stopped_ms for barge_in in account.barge_ins),
    )


async def remembered(session: Session, tenant_id: str, report: dict[str, Any]) -> bool:
    """Whether the call as it was analysed is in PostgreSQL, once the projection has caught up (or 20 s have passed)."""
    loop = asyncio.get_running_loop()
    until_s = loop.time() + REMEMBERED_WITHIN_S
    while loop.time() < until_s:
        try:
            row = await asyncio.to_thread(session.twin.history.get, tenant_id, report["call_id"])
        except NotFound:
            row = {}
        if row.get("status") == report["status"] == CallStatus.ANALYSED:
            return True
        await asyncio.sleep(_POLL_S)
    return False


def _tool(tool: dict[str, Any], stream_since_ms: int, account: Account) -> ToolUse:
    """The product counts from the stream's beginning, the callee from the answer."""
    at_ms = tool["at_ms"] + stream_since_ms
    return ToolUse(
        tool["name"], tool["arguments"], at_ms, utterances_begun(account, at_ms), tool["done"]
    )


def _reported(turn: HeardTurn) -> ReportedTurn:
    return ReportedTurn(
        Who.AGENT,
        turn.text,
        turn.started_ms,
        interrupted=bool(turn.cut_words),
        ended_ms=turn.ended_ms,
    )


def _told(report: dict[str, Any]) -> list[ToldTurn]:
    return [
        ToldTurn(turn["n"], turn["heard"] or "", turn["interrupted"])
        for turn in report["turns"]
        if turn["who"] == "agent"
    ]


async def _recognised(account: Account, ears: Ears) -> list[ReportedTurn]:
    """The agent's turns as the twin's ears understand them at the callee's."""
    cuts_ms = [barge_in.start_ms for barge_in in account.barge_ins]
    return [
        ReportedTurn(
            Who.AGENT,
            await ears.transcribe(
                account.heard[speech.start_ms * BYTES_PER_MS : speech.end_ms * BYTES_PER_MS]
            ),
            speech.start_ms,
            interrupted=any(speech.start_ms <= at_ms <= speech.end_ms for at_ms in cuts_ms),
            ended_ms=speech.end_ms,
        )
        for speech in account.agent_speech
    ]


def _extracted(report: dict[str, Any]) -> dict[str, object]:
    fields: dict[str, object] = {"sentiment": report["sentiment"], "language": report["language"]}
    for name, field in report["extracted"].items():
        fields[name] = field if name == "opt_out" else field["value"]
    return fields
