"""POST /twilio/calls/{call_id}/{attempt}/{event...}: what the carrier reports about a call becomes facts.

Reports come twice, late, in any order. Each is one idempotent write; the answer is empty or, where a stream ended, the
document that goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from functions.edge import Request, Response, guarded
from shared.adapters import aws_clients
from shared.adapters.clock import clock_from
from shared.adapters.live_calls import LiveCalls
from shared.adapters.secrets import Secrets, auth_tokens, token_secrets
from shared.adapters.twilio_signature import Form, is_signed
from shared.adapters.twiml import (
    MAX_LEGS,
    Addresses,
    TokenTimes,
    hang_up_document,
    next_document,
)
from shared.config import environment, required
from shared.domain.call import Fact, FactKind
from shared.domain.clock import Clock
from shared.domain.errors import Forbidden, InvalidInput

SOURCE = "twilio"
_STATUS = {
    "queued": FactKind.INITIATED,
    "initiated": FactKind.INITIATED,
    "ringing": FactKind.RINGING,
    "in-progress": FactKind.ANSWERED,
    "completed": FactKind.COMPLETED,
    "busy": FactKind.BUSY,
    "no-answer": FactKind.NO_ANSWER,
    "failed": FactKind.FAILED,
    "canceled": FactKind.CANCELED,
}
# A later leg's token must outlive the longest call.
_LEG_TIMES = TokenTimes(ring_s=60, limit_s=900)


@dataclass(frozen=True, slots=True)
class Desk:
    clock: Clock
    live: LiveCalls
    addresses: Addresses
    auth_tokens: tuple[str, ...]
    token_secret: bytes


@cache
def compose() -> Desk:
    secrets = Secrets(aws_clients.secrets_manager())
    return Desk(
        clock=clock_from(environment()),
        live=LiveCalls(aws_clients.dynamodb(), required("LIVE_TABLE")),
        addresses=Addresses(required("PUBLIC_BASE_URL"), required("PUBLIC_STREAM_URL")),
        auth_tokens=auth_tokens(secrets.json(required("TWILIO_SECRET_ID"))),
        token_secret=token_secrets(secrets.json(required("SIGNING_SECRET_ID")))[0],
    )


def handler(event: Mapping[str, Any], _context: object) -> Response:
    return guarded(_route, event)


def _route(request: Request) -> Response:
    desk, form = compose(), Form(request.body)
    if not is_signed(desk.addresses.api + request.path, form, request.headers, desk.auth_tokens):
        raise Forbidden("the request does not carry the carrier's signature")
    call_id = request.parameters.get("call_id", "")
    attempt_text = request.parameters.get("attempt", "")
    if not attempt_text.isdigit():
        raise InvalidInput("attempt", "is a number")
    attempt = int(attempt_text)
    what, _, leg = request.parameters.get("event", "").partition("/")
    if what == "stream-ended" and leg.isdigit():
        return _next_leg(desk, call_id, attempt, int(leg))
    fact = _fact(desk, what, leg, attempt, form)
    if fact is not None:
        desk.live.record(call_id, [fact])
    return {"statusCode": 204, "headers": {}, "body": ""}


def _fact(desk: Desk, what: str, leg: str, attempt: int, form: Form) -> Fact | None:
    now = desk.clock.now()
    if what == "status":
        kind = _STATUS.get(form.get("CallStatus", ""))
        return Fact(now, kind, attempt, SOURCE, form.get("CallSid", "")) if kind else None
    if what == "machine":
        return Fact(now, FactKind.MACHINE_VERDICT, attempt, SOURCE, form.get("AnsweredBy", ""))
    if what == "stream" and form.get("StreamEvent") in (
        "stream-stopped",
        "stream-error",
    ):
        return Fact(now, FactKind.STREAM_ENDED, attempt, SOURCE, leg)
    return None


def _next_leg(desk: Desk, call_id: str, attempt: int, leg: int) -> Response:
    """The stream of a leg is gone. A call that is over or closing hangs up; one in talk gets another leg."""
    call = desk.live.get(call_id)
    closing = call.has(FactKind.CONVERSATION_CLOSED) or call.has(FactKind.HANG_UP_REQUESTED)
    if call.is_over or closing or leg >= MAX_LEGS:
        document = hang_up_document()
    else:
        document = next_document(
            desk.addresses,
            desk.token_secret,
            call_id,
            attempt,
            leg,
            _LEG_TIMES,
            desk.clock.now(),
        )
    return {
        "statusCode": 200,
        "headers": {"content-type": "text/xml"},
        "body": document,
    }
