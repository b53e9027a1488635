"""The HTTP edge that all functions share: reading an API Gateway event (payload 2.0), answering, mapping errors.

Errors are problem details (RFC 9457). No answer repeats a value that was sent: it may be personal data.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.domain.errors import (
    CommandRefused,
    Conflict,
    Forbidden,
    GateDenied,
    InvalidInput,
    NotFound,
    Refused,
    SofiaError,
    Unavailable,
)
from shared.domain.tenant import Scope

Response = dict[str, Any]
MAX_BODY_BYTES = 256_000


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as the authorizer said."""

    tenant_id: str
    scopes: frozenset[str]

    def need(self, scope: Scope) -> None:
        """Raises Forbidden where the key lacks the scope."""
        if scope.value not in self.scopes and Scope.ADMIN.value not in self.scopes:
            raise Forbidden(f"this key lacks the scope {scope.value}")


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request, decoded."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    parameters: Mapping[str, str]
    body: bytes
    caller: Caller | None

    def json(self) -> object:
        """The body as JSON; raises InvalidInput."""
        if len(self.body) > MAX_BODY_BYTES:
            raise InvalidInput("body", f"send at most {MAX_BODY_BYTES} bytes")
        try:
            return json.loads(self.body)
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise InvalidInput("body", "send a JSON object") from error

    def authenticated(self) -> Caller:
        if self.caller is None:
            raise Forbidden("this request carries no identity")
        return self.caller


def request_of(event: Mapping[str, Any]) -> Request:
    """The request in an API Gateway event. Form bodies arrive as base64."""
    body = event.get("body") or ""
    raw = base64.b64decode(body) if event.get("isBase64Encoded") else str(body).encode()
    context = event.get("requestContext", {})
    identity = context.get("authorizer", {}).get("lambda") or {}
    caller = None
    if identity.get("tenant_id"):
        scopes = frozenset(str(identity.get("scopes", "")).split())
        caller = Caller(str(identity["tenant_id"]), scopes)
    return Request(
        method=str(context.get("http", {}).get("method", "")),
        path=str(event.get("rawPath", "")),
        query=event.get("queryStringParameters") or {},
        headers=event.get("headers") or {},
        parameters=event.get("pathParameters") or {},
        body=raw,
        caller=caller,
    )


def answer(status: int, body: object, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer."""
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json", **(headers or {})},
        "body": json.dumps(body, ensure_ascii=False, default=_plain),
    }


def guarded(handle: Callable[[Request], Response], event: Mapping[str, Any]) -> Response:
    """Run a handler and map what Sofia raises on purpose; anything else is a fault and stays one."""
    request = request_of(event)
    try:
        return handle(request)
    except SofiaError as error:
        return problem(error, request.path)


def problem(error: SofiaError, instance: str, **extra: object) -> Response:
    """The problem-details answer for a domain error."""
    status, title = next(pair for kind, pair in _PROBLEMS if isinstance(error, kind))
    body: dict[str, object] = {
        "type": f"urn:sofia:problem:{type(error).__name__}",
        "title": title,
        "status": status,
        "detail": str(error),
        "instance": instance,
        **extra,
    }
    if isinstance(error, InvalidInput):
        body["errors"] = [{"field": error.field, "message": error.message}]
    if isinstance(error, GateDenied):
        body["reason"] = error.reason
        body["retry_at"] = error.retry_at.isoformat() if error.retry_at else None
    headers = {"content-type": "application/problem+json"}
    return answer(status, body, headers)


_PROBLEMS: tuple[tuple[type[SofiaError], tuple[int, str]], ...] = (
    (InvalidInput, (400, "The request is not valid")),
    (NotFound, (404, "Not found")),
    (GateDenied, (422, "The call is not allowed")),
    (Forbidden, (403, "Not allowed")),
    (CommandRefused, (409, "The state does not allow it")),
    (Conflict, (409, "Conflict")),
    (Refused, (409, "Refused")),
    (Unavailable, (503, "Try again later")),
    (SofiaError, (500, "Internal error")),
)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is no JSON")
