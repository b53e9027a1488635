"""The HTTP edge that all functions share: reading an API Gateway event (payload 2.0), answering, mapping errors.

Errors are problem details (RFC 9457). No answer and no log line repeats a value that was sent: it may be personal data.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from functions.operator_log import operator_log
from shared.domain.errors import (
    CommandRefused,
    Conflict,
    Forbidden,
    GateDenied,
    InvalidInput,
    KeyReused,
    NotFound,
    Refused,
    SofiaError,
    TooManyCalls,
    Unavailable,
)
from shared.domain.tenant import ADMINISTRATION, Scope

Response = dict[str, Any]
MAX_BODY_BYTES = 256_000
_FAULT = 500
# What an id in a path or a cursor may look like; anything else names nothing.
ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,128}")
_ULID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")


class InvalidBody(InvalidInput):
    """Several fields are wrong at once; `fields` has each with what to do about it."""

    def __init__(self, fields: tuple[tuple[str, str], ...]) -> None:
        super().__init__(*fields[0])
        self.fields = fields


class BodyTooLarge(InvalidInput):
    """The body is longer than any request of this API needs to be."""

    def __init__(self) -> None:
        super().__init__("body", f"send at most {MAX_BODY_BYTES} bytes")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as the authorizer said."""

    tenant_id: str
    scopes: frozenset[str]

    def need(self, scope: Scope) -> None:
        """Raises Forbidden where the key lacks the scope. Administering the platform is not a tenant's to do, whatever
        its key says."""
        if scope.value not in self.scopes:
            raise Forbidden(f"this key lacks the scope {scope.value}")
        if scope is Scope.ADMIN and self.tenant_id != ADMINISTRATION:
            raise Forbidden("only a key of the administration may do this")


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request, decoded. `route` is the template's, `target` path and query as they were sent."""

    route: str
    path: str
    target: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    parameters: Mapping[str, str]
    body: bytes
    caller: Caller | None

    def json(self) -> object:
        """The body as JSON; raises InvalidInput."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            # Beside broken JSON: numbers of thousands of digits, brackets nested without end.
            raise InvalidInput("body", "send a JSON object") from error

    def named(self, parameter: str) -> str:
        """The id in the path; raises NotFound where nothing can be called that."""
        found = self.parameters.get(parameter, "")
        if not ID.fullmatch(found):
            raise NotFound(f"there is no such {parameter.removesuffix('_id')}")
        return found

    @property
    def idempotency_key(self) -> str:
        """The key under which the sender may repeat this request; raises InvalidInput where there is none."""
        key = self.headers.get("idempotency-key", "")
        if not _IDEMPOTENCY_KEY.fullmatch(key):
            message = "send this header: 1 to 128 printable characters"
            raise InvalidInput("Idempotency-Key", message)
        return key

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
    path, query = str(event.get("rawPath", "")), str(event.get("rawQueryString", ""))
    return Request(
        route=str(event.get("routeKey", "")),
        path=path,
        target=f"{path}?{query}" if query else path,
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
    """Run a handler and map what Sofia raises on purpose; anything else is a fault and stays one. A body that is too
    long is refused before anybody works on it, a signature's check included."""
    request = request_of(event)
    try:
        if len(request.body) > MAX_BODY_BYTES:
            raise BodyTooLarge
        return handle(request)
    except SofiaError as error:
        response = problem(error, request.path)
        _leave_trace(error, request, response["statusCode"])
        return response


def problem(error: SofiaError, instance: str, **extra: object) -> Response:
    """The problem-details answer for a domain error."""
    status, title = next(pair for kind, pair in _PROBLEMS if isinstance(error, kind))
    body: dict[str, object] = {
        "type": f"urn:sofia:problem:{type(error).__name__}",
        "title": title,
        "status": status,
        # What went wrong inside is for the operator.
        "detail": title if status == _FAULT else str(error),
        "instance": instance,
        **extra,
    }
    headers = {"content-type": "application/problem+json"}
    if isinstance(error, InvalidInput):
        fields = error.fields if isinstance(error, InvalidBody) else ((error.field, error.message),)
        body["errors"] = [{"field": field, "message": message} for field, message in fields]
    if isinstance(error, GateDenied):
        body["reason"] = error.reason
        body["retry_at"] = error.retry_at.isoformat() if error.retry_at else None
    if isinstance(error, TooManyCalls):
        headers["retry-after"] = str(error.retry_after_s)
    return answer(status, body, headers)


_PROBLEMS: tuple[tuple[type[SofiaError], tuple[int, str]], ...] = (
    (KeyReused, (422, "The idempotency key stands for another request")),
    (BodyTooLarge, (413, "The request is too large")),
    (InvalidInput, (400, "The request is not valid")),
    (NotFound, (404, "Not found")),
    (GateDenied, (422, "The call is not allowed")),
    (Forbidden, (403, "Not allowed")),
    (CommandRefused, (409, "The state does not allow it")),
    (Conflict, (409, "Conflict")),
    (Refused, (409, "Refused")),
    (TooManyCalls, (429, "Too many calls")),
    (Unavailable, (503, "Try again later")),
    (SofiaError, (500, "Internal error")),
)


def _leave_trace(error: SofiaError, request: Request, status: int) -> None:
    call_id = request.parameters.get("call_id", "")
    fields: dict[str, object] = {
        "status": status,
        "problem": type(error).__name__,
        "route": request.route,
        "call_id": call_id if _ULID.fullmatch(call_id) else None,
        "tenant_id": request.caller.tenant_id if request.caller else None,
    }
    if not isinstance(error, InvalidInput):
        # The path of a wrong field holds names that the sender made up.
        fields["detail"] = str(error)
    log = operator_log()
    if status >= _FAULT:
        log.error("a request failed", extra=fields)
    else:
        log.info("a request was refused", extra=fields)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is no JSON")
