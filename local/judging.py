"""A finished call in the terms of the persona file, for its expectations."""

from __future__ import annotations

import json
from typing import Any

from local.callee.call_report import (
    CallReport,
    ReportedTurn,
    StoredText,
    ToolUse,
    Who,
    in_order,
    utterances_begun,
)
from local.placing import Placed


def call_report(placed: Placed, suppressed: bool) -> CallReport:
    """`suppressed` is whether the number is on the tenant's list now."""
    report, account = placed.report, placed.actor.account()
    turns = [
        ReportedTurn(Who.AGENT, turn["heard"] or "", turn["started_ms"], None, turn["interrupted"])
        for turn in report["turns"]
        if turn["who"] == "agent"
    ]
    tools = tuple(
        ToolUse(
            tool["name"],
            tool["arguments"],
            tool["at_ms"],
            utterances_begun(account, tool["at_ms"]),
        )
        for tool in report["tools"]
        if tool["done"]
    )
    callbacks = [f for f in report["follow_ups"] if f["kind"] in ("demo", "callback")]
    return CallReport(
        turns=in_order(turns, account),
        tools=tools,
        outcome=report["outcome"],
        flags=frozenset(report["flags"]),
        extracted=_extracted(report),
        suppressed=suppressed,
        active_callbacks=len(callbacks),
        stored=_stored(report),
        barge_in_stops_ms=tuple(
            barge_in.agent_stopped_ms
            for barge_in in account.barge_ins
            if barge_in.agent_stopped_ms is not None
        ),
    )


def _extracted(report: dict[str, Any]) -> dict[str, object]:
    fields: dict[str, object] = {"sentiment": report["sentiment"], "language": report["language"]}
    for name, field in report["extracted"].items():
        fields[name] = field if name == "opt_out" else field["value"]
    return fields


def _stored(report: dict[str, Any]) -> tuple[StoredText, ...]:
    """Everything that outlives the call but the transcript itself."""
    texts = [StoredText("summary", report["summary"] or "")]
    for name, field in report["extracted"].items():
        kept = {key: value for key, value in field.items() if key != "quote" or name == "opt_out"}
        texts.append(StoredText(name, json.dumps(kept, ensure_ascii=False)))
    for tool in report["tools"]:
        texts.append(StoredText(tool["name"], json.dumps(tool["arguments"], ensure_ascii=False)))
    return tuple(texts)
