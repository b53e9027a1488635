"""GET /v1/calls, /v1/calls/{call_id}, /v1/calls/{call_id}/transcript, /v1/follow-ups."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from functions.edge import Request, Response, answer, guarded
from functions.reports.app import Reports
from functions.reports.queries import call_cursor, call_query, follow_up_cursor, follow_up_query
from shared.adapters import aws_clients
from shared.adapters.clock import clock_from
from shared.adapters.database import Database, connector
from shared.adapters.history import DueFollowUp, History
from shared.adapters.live_reader import LiveReader
from shared.config import environment, required
from shared.domain.errors import NotFound
from shared.domain.listing import CallRow
from shared.domain.tenant import Scope

_SPEAKERS = {"agent": "Sofía", "callee": "Persona"}


@cache
def compose() -> Reports:
    return Reports(
        reader=LiveReader(
            aws_clients.dynamodb(), required("LIVE_TABLE"), clock_from(environment())
        ),
        history=History(Database(connector(dict(environment())))),
    )


def handler(event: Mapping[str, Any], _context: object) -> Response:
    return guarded(_route, event)


def _route(request: Request) -> Response:
    caller = request.authenticated()
    caller.need(Scope.CALLS_READ)
    match request.route:
        case "GET /v1/calls":
            return _calls(request, caller.tenant_id)
        case "GET /v1/calls/{call_id}":
            return answer(200, compose().call(caller.tenant_id, request.named("call_id")))
        case "GET /v1/calls/{call_id}/transcript":
            return _transcript(request, compose().call(caller.tenant_id, request.named("call_id")))
        case "GET /v1/follow-ups":
            return _follow_ups(request, caller.tenant_id)
        case _:
            raise NotFound("there is no such route")


def _calls(request: Request, tenant_id: str) -> Response:
    query = call_query(request.query)
    rows = compose().calls(tenant_id, query)
    more = len(rows) == query.limit
    cursor = call_cursor(rows[-1].place) if more else None
    return answer(200, {"calls": [_call(row) for row in rows], "next_cursor": cursor})


def _follow_ups(request: Request, tenant_id: str) -> Response:
    query = follow_up_query(request.query)
    found = compose().follow_ups(tenant_id, query)
    more = len(found) == query.limit
    cursor = follow_up_cursor(found[-1].place) if more else None
    body = {"follow_ups": [_follow_up(due) for due in found], "next_cursor": cursor}
    return answer(200, body)


def _call(row: CallRow) -> dict[str, object]:
    return {
        "call_id": row.call_id,
        "created_at": row.created_at,
        "status": row.status,
        "end_reason": row.end_reason,
        "outcome": row.outcome,
        "next_step": row.next_step,
        "cost_usd": None if row.cost_usd is None else float(row.cost_usd),
    }


def _follow_up(due: DueFollowUp) -> dict[str, object]:
    promise = due.promise
    return {
        "call_id": due.call_id,
        "kind": promise.kind.value,
        "at": promise.at,
        "timezone": promise.timezone,
        "with": promise.with_whom,
        "channel": promise.channel,
        "address": promise.address,
        "detail": promise.detail,
    }


def _transcript(request: Request, report: Mapping[str, Any]) -> Response:
    """As JSON, or as text for people with `Accept: text/plain`: of Sofia what was heard."""
    turns = report["turns"]
    if "text/plain" not in request.headers.get("accept", ""):
        return answer(200, {"call_id": report["call_id"], "turns": turns})
    lines = [
        f"{turn['started_ms'] / 1000:7.1f}  {_SPEAKERS[turn['who']]}: {turn['heard'] or '…'}\n"
        for turn in turns
    ]
    headers = {"content-type": "text/plain; charset=utf-8"}
    return {"statusCode": 200, "headers": headers, "body": "".join(lines)}
