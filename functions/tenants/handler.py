"""/v1/tenants: for an administrator's key."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from functions.edge import Request, Response, answer, guarded, problem
from functions.parsing import parsed
from functions.tenants.answers import agent_answer, key_answer, tenant_answer
from functions.tenants.app import KeyMadeBefore, Office
from functions.tenants.requests import (
    ApprovalBody,
    CallerIdBody,
    FactsBody,
    KeyBody,
    TenantBody,
    TenantChange,
)
from shared.adapters import aws_clients
from shared.adapters.clock import clock_from
from shared.adapters.directory import Directory
from shared.adapters.opening_studio import OpeningStudio
from shared.adapters.secrets import Secrets
from shared.adapters.sounds import OpeningClips
from shared.config import environment, optional, required
from shared.domain.errors import NotFound
from shared.domain.tenant import Scope


def _studio() -> OpeningStudio:
    # Only an approval speaks; nobody else pays for the import.
    from openai import OpenAI

    secrets = Secrets(aws_clients.secrets_manager())
    key = secrets.json(required("OPENAI_SECRET_ID"))["api_key"]
    client = OpenAI(
        api_key=key,
        base_url=optional("OPENAI_BASE_URL") or None,
        websocket_base_url=optional("OPENAI_REALTIME_URL") or None,
    )
    return OpeningStudio(client)


@cache
def compose() -> Office:
    return Office(
        clock=clock_from(environment()),
        directory=Directory(aws_clients.dynamodb(), required("DIRECTORY_TABLE")),
        clips=OpeningClips(aws_clients.s3(), required("SOUNDS_BUCKET")),
        studio=_studio,
    )


def handler(event: Mapping[str, Any], _context: object) -> Response:
    return guarded(_route, event)


def _route(request: Request) -> Response:
    request.authenticated().need(Scope.ADMIN)
    office = compose()
    if request.route == "POST /v1/tenants":
        return answer(201, tenant_answer(office.create(parsed(TenantBody, request.json()))))
    tenant_id = request.named("tenant_id")
    match request.route.replace("/v1/tenants/{tenant_id}", ""):
        case "GET ":
            return answer(200, tenant_answer(office.directory.tenant(tenant_id)))
        case "PATCH ":
            change = parsed(TenantChange, request.json())
            return answer(200, tenant_answer(office.change(tenant_id, change)))
        case "POST /keys":
            return _new_key(request, office, tenant_id)
        case "GET /keys":
            keys = office.directory.keys_of(tenant_id)
            return answer(200, {"keys": [key_answer(key) for key in keys]})
        case "DELETE /keys/{key_id}":
            key_id = request.named("key_id")
            office.revoke_key(tenant_id, key_id)
            return answer(200, {"key_id": key_id, "revoked": True})
        case "POST /caller-ids":
            caller_id = office.add_caller_id(tenant_id, parsed(CallerIdBody, request.json()))
            return answer(201, {"number": caller_id.number, "type": caller_id.type.value})
        case "PUT /facts":
            agent, is_new = office.publish(tenant_id, parsed(FactsBody, request.json()))
            return answer(201 if is_new else 200, agent_answer(agent))
        case "GET /agents/{agent_id}":
            newest = office.directory.newest_agent(tenant_id, request.named("agent_id"))
            return answer(200, agent_answer(newest))
        case "POST /agents/{agent_id}/opening/approval":
            version = parsed(ApprovalBody, request.json()).version
            agent, length_ms = office.approve_opening(tenant_id, request.named("agent_id"), version)
            return answer(200, {**agent_answer(agent), "opening_ms": length_ms})
        case _:
            raise NotFound("there is no such route")


def _new_key(request: Request, office: Office, tenant_id: str) -> Response:
    body = parsed(KeyBody, request.json())
    try:
        text, key = office.create_key(tenant_id, body, request.idempotency_key)
    except KeyMadeBefore as made:
        return problem(made, request.path, key_id=made.key_id)
    return answer(201, {"key": text, **key_answer(key)})
