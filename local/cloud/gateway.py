"""API Gateway (HTTP API, payload 2.0) on loopback, with the template's routes and authorizers."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from local.cloud import cors
from local.cloud.authorizing import AuthorizerFailed, Gatekeeper
from local.cloud.declarations import Authorizer, Route, Stage, TemplateError
from local.cloud.http_answer import HttpAnswer, InvalidAnswer, answer_of, message
from local.cloud.http_event import (
    HttpRequest,
    divide_headers,
    forwarded,
    function_event,
    new_request_id,
)
from local.cloud.invoke import InvocationFailed, Invoker
from local.cloud.routing import Match, Router
from local.cloud.throttling import TokenBucket

log = logging.getLogger(__name__)
# The service takes 10 MB, but what it hands to Lambda may have 6 MB.
MAX_BODY_BYTES = 10_485_760
MAX_EVENT_BODY_BYTES = 6_000_000
MAX_HEADER_BYTES = 10_240
INTEGRATION_TIMEOUT_S = 30.0
# Lines longer than this are no request to begin with; up to it the size is judged as the service does.
_MAX_LINE_BYTES = 65_536


class Gateway:
    """`url` is known after `start`."""

    def __init__(
        self,
        routes: Sequence[Route],
        authorizers: Mapping[str, Authorizer],
        invoker: Invoker,
        port: int = 0,
        *,
        stage: Stage | None = None,
    ) -> None:
        for route in routes:
            if route.authorizer is not None and route.authorizer not in authorizers:
                raise TemplateError(f"{route.key}: the authorizer {route.authorizer} is unknown")
        self._router = Router(routes)
        self._gatekeepers = {
            name: Gatekeeper(authorizer, invoker) for name, authorizer in authorizers.items()
        }
        self._stage = stage or Stage()
        self._bucket = TokenBucket(self._stage.throttle) if self._stage.throttle else None
        self._route_buckets = {
            route.key: TokenBucket(route.throttle) for route in routes if route.throttle
        }
        self._invoker = invoker
        self._port = port
        self._runner: web.ServerRunner | None = None
        self.url = ""

    async def start(self) -> None:
        """Listen; raises OSError where the port is taken."""
        server = _Server(self._serve)
        self._runner = web.ServerRunner(server, handle_signals=False, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _serve(self, wire: web.BaseRequest) -> web.StreamResponse:
        request_id = new_request_id()
        header_bytes = len(wire.method) + len(wire.raw_path) + len("  HTTP/1.1")
        header_bytes += sum(len(name) + len(value) + 4 for name, value in wire.raw_headers)
        try:
            if header_bytes > MAX_HEADER_BYTES:
                answer = message(431, "Request Header Fields Too Large")
            else:
                answer = await self._answer(await _read(wire, request_id))
        except _TooLarge:
            answer = message(413, "Request Entity Too Large")
        return _response(answer, request_id)

    async def _answer(self, request: HttpRequest) -> HttpAnswer:
        settings = self._stage.cors
        if settings is not None:
            answer = cors.preflight(settings, request.method, request.headers)
            if answer is not None:
                return answer
        match = self._router.find(request.method, request.path)
        answer = message(404, "Not Found") if match is None else await self._pass(request, match)
        if settings is not None:
            allowed = cors.allow(settings, request.headers)
            kept = [pair for pair in answer.headers if not pair[0].startswith("access-control-")]
            return HttpAnswer(answer.status, (*kept, *allowed), answer.body)
        return answer

    async def _pass(self, request: HttpRequest, match: Match) -> HttpAnswer:
        """Throttle, then ask who it is, then the function."""
        route, now_s = match.route, time.monotonic()
        bucket = self._route_buckets.get(route.key, self._bucket)
        if bucket is not None and not bucket.take(now_s):
            return message(429, "Too Many Requests")
        identity: Mapping[str, Any] | None = None
        if route.authorizer is not None:
            gatekeeper = self._gatekeepers[route.authorizer]
            try:
                verdict = await gatekeeper.ask(request, route, match.parameters, now_s)
            except AuthorizerFailed:
                return message(500, "Internal Server Error")
            if verdict is None:
                return message(401, "Unauthorized")
            if not verdict.allowed:
                return message(403, "Forbidden")
            identity = verdict.context
        return await self._integrate(
            route, function_event(request, route, match.parameters, identity)
        )

    async def _integrate(self, route: Route, event: Mapping[str, Any]) -> HttpAnswer:
        if len(event.get("body", "")) > MAX_EVENT_BODY_BYTES:
            return message(413, "Request Entity Too Large")
        try:
            async with asyncio.timeout(INTEGRATION_TIMEOUT_S):
                result = await self._invoker.invoke(route.function, event)
        except TimeoutError:
            return message(503, "Service Unavailable")
        except InvocationFailed:
            return message(500, "Internal Server Error")
        try:
            return answer_of(result)
        except InvalidAnswer as error:
            log.error("%s answered what the gateway cannot send: %s", route.function, error)
            return message(500, "Internal Server Error")


class _TooLarge(Exception):
    """The body is larger than the service takes."""


async def _read(wire: web.BaseRequest, request_id: str) -> HttpRequest:
    if (wire.content_length or 0) > MAX_BODY_BYTES:
        raise _TooLarge
    body = bytearray()
    async for chunk in wire.content.iter_any():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise _TooLarge
    at, source_ip = datetime.now(UTC), wire.remote or "127.0.0.1"
    headers, cookies = divide_headers(wire.headers.items())
    raw_path, _, query = wire.raw_path.partition("?")
    return HttpRequest(
        request_id=request_id,
        method=wire.method,
        # HTTP APIs hand the path over decoded (seen in captures of the service).
        path=unquote(raw_path),
        query=query,
        headers=forwarded(headers, source_ip, at),
        cookies=cookies,
        body=bytes(body),
        source_ip=source_ip,
        at=at,
    )


def _response(answer: HttpAnswer, request_id: str) -> web.Response:
    response = web.Response(status=answer.status, body=answer.body)
    response.headers.popall("content-type", None)
    for name, value in answer.headers:
        response.headers.add(name, value)
    response.headers["apigw-requestid"] = request_id
    return response


class _Server(web.Server):
    """Connections whose malformed requests are answered as the service answers them."""

    def __call__(self) -> RequestHandler:
        return _Connection(
            self,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]
            max_line_size=_MAX_LINE_BYTES,
            max_field_size=_MAX_LINE_BYTES,
            auto_decompress=False,
        )


class _Connection(RequestHandler):
    """One client."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What is no HTTP gets a 400, a fault of the gateway itself a 500; neither repeats what was sent."""
        if status >= 500:
            self.log_exception("the gateway failed", exc_info=exc)
        answer = _PLAIN[status >= 500]
        response = _response(answer, new_request_id())
        response.force_close()
        return response


_PLAIN = (message(400, "Bad Request"), message(500, "Internal Server Error"))
