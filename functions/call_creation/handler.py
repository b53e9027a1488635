"""POST /v1/calls and DELETE /v1/calls/{call_id}."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from typing import Any

from functions.call_creation.app import CallDenied, CallDesk
from functions.call_creation.requests import CallBody
from functions.edge import Request, Response, answer, guarded, problem
from functions.operator_log import operator_log
from functions.parsing import parsed
from shared.adapters import aws_clients
from shared.adapters.call_rate import CallRate
from shared.adapters.carrier import Carrier, account_of
from shared.adapters.clock import clock_from
from shared.adapters.dial_queue import DialQueue
from shared.adapters.directory import Directory
from shared.adapters.gatekeeper import Gatekeeper
from shared.adapters.idempotency import Replies
from shared.adapters.live_calls import LiveCalls
from shared.adapters.secrets import Secrets
from shared.adapters.suppressions import Suppressions
from shared.config import environment, optional, required
from shared.domain.tenant import Scope


@cache
def compose() -> tuple[CallDesk, Replies]:
    dynamodb, clock = aws_clients.dynamodb(), clock_from(environment())
    secrets, twilio_id = Secrets(aws_clients.secrets_manager()), required("TWILIO_SECRET_ID")
    suppression_key = secrets.json(required("SIGNING_SECRET_ID"))["suppression"].encode()
    directory = Directory(dynamodb, required("DIRECTORY_TABLE"))
    live = LiveCalls(dynamodb, required("LIVE_TABLE"))
    suppressions = Suppressions(dynamodb, required("LEADS_TABLE"), suppression_key)
    desk = CallDesk(
        clock=clock,
        directory=directory,
        live=live,
        rate=CallRate(dynamodb, required("LIVE_TABLE")),
        gatekeeper=Gatekeeper(directory, live, suppressions, clock),
        queue=DialQueue(aws_clients.sqs(), required("DIAL_QUEUE_URL")),
        carrier=Carrier(
            lambda fresh: account_of(secrets.json(twilio_id, fresh)),
            optional("TWILIO_API_BASE_URL") or None,
        ),
        log=operator_log(),
    )
    return desk, Replies(dynamodb, required("IDEMPOTENCY_TABLE"), clock)


def handler(event: Mapping[str, Any], _context: object) -> Response:
    return guarded(_route, event)


def _route(request: Request) -> Response:
    caller = request.authenticated()
    caller.need(Scope.CALLS_WRITE)
    desk, replies = compose()
    if request.route == "DELETE /v1/calls/{call_id}":
        call = desk.stop(caller.tenant_id, request.named("call_id"))
        return answer(202, {"call_id": call.call_id, "status": call.status.value})
    key = request.idempotency_key
    body = parsed(CallBody, request.json())
    scope = f"{caller.tenant_id}/calls/{key}"
    # Of what was read, not of the bytes: order and white space make no other request.
    payload = hashlib.sha256(body.model_dump_json().encode()).hexdigest()
    return replies.once(scope, payload, lambda: _create(request, desk, caller.tenant_id, body, key))


def _create(request: Request, desk: CallDesk, tenant_id: str, body: CallBody, key: str) -> Response:
    try:
        call = desk.create(tenant_id, body, key)
    except CallDenied as denied:
        return problem(denied, request.path, call_id=denied.call_id)
    location = {"location": f"/v1/calls/{call.call_id}"}
    return answer(201, {"call_id": call.call_id, "status": call.status.value}, location)
