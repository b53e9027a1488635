"""API Gateway (HTTP API, payload 2.0) on loopback, with the template's routes and authorizer."""

from __future__ import annotations

import base64
import json
import re
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from local.cloud.invoke import InvocationFailed, Invoker
from local.cloud.template import Route

# Lambda's payload limit bites before the gateway's own 10 MB.
MAX_BODY_BYTES = 6_000_000
AUTHORIZER_TTL_S = 60.0
_TEXT = re.compile(r"^(text/.*|application/(json|.*\+json|xml|javascript))", re.IGNORECASE)


class Gateway:
    """`url` is known after `start`."""

    def __init__(
        self, routes: Sequence[Route], authorizer: str, invoker: Invoker, port: int = 0
    ) -> None:
        self._routes = sorted(
            ((route, _pattern(route.path)) for route in routes),
            key=lambda pair: ("+}" in pair[0].path, pair[0].path.count("{")),
        )
        self._authorizer = authorizer
        self._invoker = invoker
        self._port = port
        self._runner: web.AppRunner | None = None
        self._identities: dict[str, tuple[float, dict[str, Any]]] = {}
        self.url = ""

    async def start(self) -> None:
        app = web.Application(client_max_size=MAX_BODY_BYTES)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        found = self._find(request.method, request.path)
        if found is None:
            return _message(404, "Not Found")
        route, parameters = found
        identity: dict[str, Any] = {}
        if not route.public:
            header = request.headers.get("Authorization")
            if not header:
                return _message(401, "Unauthorized")
            verdict = await self._identify(header, request)
            if verdict is None:
                return _message(500, "Internal Server Error")
            if not verdict.get("isAuthorized"):
                return _message(403, "Forbidden")
            identity = {"authorizer": {"lambda": verdict.get("context", {})}}
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return _message(413, "Request Too Long")
        event = _event(request, route, parameters, body, identity)
        try:
            result = await self._invoker.invoke(route.function, event)
        except InvocationFailed as failure:
            timed_out = isinstance(failure.__cause__, TimeoutError)
            return _message(503, "Service Unavailable") if timed_out else _fault()
        return _response(result)

    def _find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        for route, pattern in self._routes:
            match = pattern.fullmatch(path)
            if match and route.method in (method, "ANY"):
                return route, match.groupdict()
        return None

    async def _identify(self, header: str, request: web.Request) -> dict[str, Any] | None:
        kept = self._identities.get(header)
        if kept is not None and time.monotonic() - kept[0] < AUTHORIZER_TTL_S:
            return kept[1]
        event = {
            "version": "2.0",
            "type": "REQUEST",
            "identitySource": [header],
            "headers": _headers(request),
            "rawPath": request.path,
        }
        try:
            verdict: dict[str, Any] = await self._invoker.invoke(self._authorizer, event)
        except InvocationFailed:
            return None
        self._identities[header] = (time.monotonic(), verdict)
        return verdict


def _pattern(path: str) -> re.Pattern[str]:
    escaped = re.sub(r"\{(\w+)\+\}", r"(?P<\1>.+)", path)
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", escaped))


def _headers(request: web.Request) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in request.headers.items():
        key = name.lower()
        if key != "cookie":
            joined[key] = f"{joined[key]},{value}" if key in joined else value
    return joined


def _event(
    request: web.Request,
    route: Route,
    parameters: Mapping[str, str],
    body: bytes,
    identity: Mapping[str, Any],
) -> dict[str, Any]:
    raw_path, _, raw_query = request.raw_path.partition("?")
    is_text = bool(_TEXT.match(request.headers.get("Content-Type", "text/plain")))
    query: dict[str, str] = {}
    for name, value in request.query.items():
        query[name] = f"{query[name]},{value}" if name in query else value
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": f"{route.method} {route.path}",
        "rawPath": raw_path,
        "rawQueryString": raw_query,
        "headers": _headers(request),
        "requestContext": {
            "accountId": "111122223333",
            "apiId": "local",
            "domainName": request.host,
            "domainPrefix": "local",
            "http": {
                "method": request.method,
                "path": raw_path,
                "protocol": "HTTP/1.1",
                "sourceIp": request.remote or "127.0.0.1",
                "userAgent": request.headers.get("User-Agent", ""),
            },
            "requestId": str(uuid.uuid4()),
            "routeKey": f"{route.method} {route.path}",
            "stage": "$default",
            "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime()),
            "timeEpoch": int(time.time() * 1_000),
            **identity,
        },
        "isBase64Encoded": bool(body) and not is_text,
    }
    if parameters:
        event["pathParameters"] = dict(parameters)
    if query:
        event["queryStringParameters"] = query
    if body:
        event["body"] = body.decode("utf-8", "replace") if is_text else _base64(body)
    return event


def _base64(body: bytes) -> str:
    return base64.b64encode(body).decode()


def _response(result: Any) -> web.StreamResponse:
    if not isinstance(result, dict) or "statusCode" not in result:
        return web.Response(text=json.dumps(result), content_type="application/json")
    text = result.get("body") or ""
    body = base64.b64decode(text) if result.get("isBase64Encoded") else str(text).encode()
    response = web.Response(status=int(result["statusCode"]), body=body)
    for name, value in (result.get("headers") or {}).items():
        response.headers[name] = str(value)
    return response


def _message(status: int, text: str) -> web.Response:
    return web.json_response({"message": text}, status=status)


def _fault() -> web.Response:
    return _message(500, "Internal Server Error")
