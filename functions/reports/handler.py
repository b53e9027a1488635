"""GET /v1/calls, /v1/calls/{call_id}, /v1/calls/{call_id}/transcript, /v1/follow-ups: live first, then Aurora."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from functions.edge import Request, Response, answer, guarded
from shared.adapters import aws_clients
from shared.adapters.call_report import report_of
from shared.adapters.history import History, connector
from shared.adapters.live_reader import LiveReader
from shared.config import environment, required
from shared.domain.errors import InvalidInput, NotFound
from shared.domain.tenant import Scope

MAX_PAGE = 100


@dataclass(frozen=True, slots=True)
class Reports:
    reader: LiveReader
    history: History

    def call(self, tenant_id: str, call_id: str) -> dict[str, Any]:
        """Raises NotFound, for another tenant's call too."""
        try:
            report = report_of(self.reader.read(call_id))
        except NotFound:
            return self.history.get(tenant_id, call_id)
        if report["tenant_id"] != tenant_id:
            raise NotFound("there is no such call")
        return report


@cache
def compose() -> Reports:
    reader = LiveReader(aws_clients.dynamodb(), required("LIVE_TABLE"))
    return Reports(reader, History(connector(dict(environment()))))


def handler(event: Mapping[str, Any], _context: object) -> Response:
    return guarded(_route, event)


def _route(request: Request) -> Response:
    caller = request.authenticated()
    caller.need(Scope.CALLS_READ)
    reports = compose()
    if request.path == "/v1/follow-ups":
        items = reports.history.follow_ups(caller.tenant_id, MAX_PAGE)
        return answer(200, {"follow_ups": items})
    call_id = request.parameters.get("call_id")
    if call_id is None:
        return _list(request, reports, caller.tenant_id)
    report = reports.call(caller.tenant_id, call_id)
    if request.path.endswith("/transcript"):
        return _transcript(request, report)
    return answer(200, report)


def _list(request: Request, reports: Reports, tenant_id: str) -> Response:
    limit_text = request.query.get("limit", "20")
    if not limit_text.isdigit() or not 1 <= int(limit_text) <= MAX_PAGE:
        raise InvalidInput("limit", f"is a number from 1 to {MAX_PAGE}")
    limit = int(limit_text)
    before = _cursor(request.query.get("cursor"))
    calls = reports.history.page(tenant_id, limit, before, request.query.get("outcome"))
    body: dict[str, Any] = {"calls": calls, "next_cursor": None}
    if len(calls) == limit:
        last = json.dumps([calls[-1]["created_at"], calls[-1]["call_id"]])
        body["next_cursor"] = base64.urlsafe_b64encode(last.encode()).decode()
    return answer(200, body)


def _cursor(text: str | None) -> tuple[str, str] | None:
    if text is None:
        return None
    try:
        created_at, call_id = json.loads(base64.urlsafe_b64decode(text))
    except ValueError as error:
        raise InvalidInput("cursor", "use the next_cursor of the page before") from error
    return str(created_at), str(call_id)


def _transcript(request: Request, report: dict[str, Any]) -> Response:
    if "text/plain" not in request.headers.get("accept", ""):
        turns = report["turns"]
        return answer(200, {"call_id": report["call_id"], "turns": turns})
    names = {"agent": "Sofía", "callee": "Persona"}
    lines = [
        f"{turn['started_ms'] / 1000:7.1f}  {names[turn['who']]}: {turn['heard'] or '…'}"
        for turn in report["turns"]
    ]
    headers = {"content-type": "text/plain; charset=utf-8"}
    return {"statusCode": 200, "headers": headers, "body": "\n".join(lines) + "\n"}
