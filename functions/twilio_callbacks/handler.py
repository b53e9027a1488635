"""POST /twilio/calls/{call_id}/{attempt}/{event...}: what the carrier reports about a call becomes facts.

Reports come twice, late, in any order. Each is one idempotent write; the answer is empty or, where a stream ended, the
document that goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from functions.edge import Request, Response, guarded
from functions.operator_log import operator_log
from functions.twilio_callbacks.app import ReportDesk
from functions.twilio_callbacks.reports import Address
from shared.adapters import aws_clients
from shared.adapters.clock import clock_from
from shared.adapters.live_calls import LiveCalls
from shared.adapters.secrets import Secrets, auth_tokens, token_secrets
from shared.adapters.twilio_signature import Form, is_signed
from shared.adapters.twiml import Addresses
from shared.config import environment, required
from shared.domain.errors import Forbidden


@cache
def compose() -> ReportDesk:
    secrets = Secrets(aws_clients.secrets_manager())
    twilio_id, signing_id = required("TWILIO_SECRET_ID"), required("SIGNING_SECRET_ID")
    return ReportDesk(
        clock=clock_from(environment()),
        live=LiveCalls(aws_clients.dynamodb(), required("LIVE_TABLE")),
        addresses=Addresses(required("PUBLIC_BASE_URL"), required("PUBLIC_STREAM_URL")),
        auth_tokens=lambda: auth_tokens(secrets.json(twilio_id)),
        token_secret=lambda: token_secrets(secrets.json(signing_id))[0],
        log=operator_log(),
    )


def handler(event: Mapping[str, Any], _context: object) -> Response:
    return guarded(_route, event)


def _route(request: Request) -> Response:
    desk, form = compose(), Form(request.body)
    url = desk.addresses.api + request.target
    if not is_signed(url, form, request.headers, desk.auth_tokens()):
        raise Forbidden("the request does not carry the carrier's signature")
    address = Address.of(request.parameters)
    if address.what == "stream-ended":
        headers = {"content-type": "text/xml"}
        return {"statusCode": 200, "headers": headers, "body": desk.after_stream(address)}
    desk.report(address, form)
    return {"statusCode": 204, "headers": {}, "body": ""}
