"""Requests as API Gateway hands them to a function: the event of an HTTP API, payload format 2.0."""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from local.cloud.api_settings import API_ID
from local.cloud.declarations import Authorizer, Route
from local.cloud.ministack import ACCOUNT, REGION

# Bodies of these types arrive as text, all others as base64: forms among them.
_TEXT = re.compile(
    r"^(text/.*|application/(json|xml|javascript|.*\+json|.*\+xml))\s*(;.*)?$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as it came over the wire; `path` is decoded, `query` is not. Header names are lower-case, repeated
    ones joined, cookies apart."""

    request_id: str
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    cookies: tuple[str, ...]
    body: bytes
    source_ip: str
    at: datetime


def new_request_id() -> str:
    """As long and as opaque as API Gateway's."""
    return secrets.token_urlsafe(11) + "="


def divide_headers(pairs: Iterable[tuple[str, str]]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Headers in lower case, repeated ones joined by a comma, and the cookies."""
    headers: dict[str, str] = {}
    cookies: list[str] = []
    for name, value in pairs:
        key = name.lower()
        if key == "cookie":
            cookies += [cookie.strip() for cookie in value.split(";") if cookie.strip()]
        else:
            headers[key] = f"{headers[key]},{value}" if key in headers else value
    return headers, tuple(cookies)


def forwarded(headers: Mapping[str, str], source_ip: str, at: datetime) -> dict[str, str]:
    """The headers with those that the service adds. It is always reached by TLS."""
    chain = headers.get("x-forwarded-for")
    added = {
        "x-amzn-trace-id": f"Root=1-{int(at.timestamp()):08x}-{secrets.token_hex(12)}",
        "x-forwarded-for": f"{chain}, {source_ip}" if chain else source_ip,
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
    }
    return {"x-amzn-trace-id": added.pop("x-amzn-trace-id"), **headers, **added}


def function_event(
    request: HttpRequest,
    route: Route,
    parameters: Mapping[str, str],
    identity: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """The event of the route's function; `identity` is the authorizer's context, None on a public route."""
    context = request_context(request, route)
    if identity is not None:
        context["authorizer"] = {"lambda": dict(identity)}
    event = _shared(request, route, parameters, context)
    is_text = bool(_TEXT.match(request.headers.get("content-type", "text/plain")))
    if request.body:
        plain = request.body.decode("utf-8", "replace")
        event["body"] = plain if is_text else base64.b64encode(request.body).decode()
    return {**event, "isBase64Encoded": bool(request.body) and not is_text}


def authorizer_event(
    request: HttpRequest,
    route: Route,
    parameters: Mapping[str, str],
    authorizer: Authorizer,
) -> dict[str, Any]:
    """The event of a Lambda authorizer."""
    arn = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{API_ID}/$default/{request.method}{request.path}"
    shared = _shared(request, route, parameters, request_context(request, route))
    sources = identity_of(request, authorizer)
    return {**shared, "type": "REQUEST", "routeArn": arn, "identitySource": sources}


def identity_of(request: HttpRequest, authorizer: Authorizer) -> list[str] | None:
    """Who asks, by the authorizer's identity sources; None where one is missing or empty."""
    query = query_parameters(request.query)
    values = [request.headers.get(name, "") for name in authorizer.identity_headers]
    values += [query.get(name, "") for name in authorizer.identity_queries]
    return values if all(values) else None


def query_parameters(query: str) -> dict[str, str]:
    """Decoded, blank ones kept, repeated ones joined by a comma."""
    joined: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def request_context(request: HttpRequest, route: Route) -> dict[str, Any]:
    domain = request.headers.get("host", "").partition(":")[0]
    return {
        "accountId": ACCOUNT,
        "apiId": API_ID,
        "domainName": domain,
        "domainPrefix": domain.partition(".")[0],
        "http": {
            "method": request.method,
            "path": request.path,
            "protocol": "HTTP/1.1",
            "sourceIp": request.source_ip,
            "userAgent": request.headers.get("user-agent", ""),
        },
        "requestId": request.request_id,
        "routeKey": route.key,
        "stage": "$default",
        "time": request.at.astimezone(UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "timeEpoch": int(request.at.timestamp() * 1_000),
    }


def _shared(
    request: HttpRequest, route: Route, parameters: Mapping[str, str], context: Mapping[str, Any]
) -> dict[str, Any]:
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route.key,
        "rawPath": request.path,
        "rawQueryString": request.query,
        "headers": dict(request.headers),
        "requestContext": context,
    }
    query = query_parameters(request.query)
    if request.cookies:
        event["cookies"] = list(request.cookies)
    if query:
        event["queryStringParameters"] = query
    if parameters:
        event["pathParameters"] = dict(parameters)
    return event
