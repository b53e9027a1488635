"""The emulated service's door: `/v1/realtime` by WebSocket, `/v1/responses` and `/v1/models` by HTTP, one port."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aiohttp import WSMsgType, web

from local.realtime import responses_api
from local.realtime.conversation import new_id
from local.realtime.errors import SERVER_ERROR, error_body
from local.realtime.mind.port import AnalystMind, Mind
from local.realtime.session import EmulatedSession
from local.realtime.settings import EmulatorSettings, Expiry, Faults
from local.speech.ports import Ears, Voice

_REFUSED_CLOSE = 4_000
_GONE_CLOSE = 1_001
_ABNORMAL_CLOSE = 1_006
_UPGRADE_REFUSALS = {
    401: ("invalid_api_key", "Incorrect API key provided."),
    403: ("model_not_available", "The project has no access to this model."),
    429: ("rate_limit_exceeded", "Too many sessions; please try again later."),
    503: ("server_error", "The server is overloaded."),
}
MAX_EVENT_BYTES = 15 * 1_024 * 1_024
MIND = "script"
"""Whoever reads a report must know that no model has spoken."""
_EARS = {"voice": "whisper"}
_SHUTDOWN_DATES = {"gpt-realtime": "2027-01-20", "gpt-realtime-mini": "2027-01-20"}
_BETA_HEADER = "realtime=v1"
_CONNECT_REFUSALS = {
    "beta_api_shape_disabled": "The Realtime Beta API is no longer supported.",
    "invalid_intent": "Invalid intent. The emulator serves 'realtime' alone.",
    "missing_model": "You must provide a model parameter.",
    "model_not_found": "The model does not exist or you do not have access to it.",
}


class RealtimeEmulator:
    """`base_url` is for the SDK's HTTP side, `websocket_base_url` for its sockets."""

    def __init__(
        self,
        settings: EmulatorSettings,
        ears: Ears,
        voice: Voice,
        mind: Mind,
        analyst: AnalystMind,
    ) -> None:
        self._settings = settings
        self._ears = ears
        self._voice = voice
        self._mind = mind
        self._analyst = analyst
        self._runner: web.AppRunner | None = None
        self._sockets: set[web.WebSocketResponse] = set()
        self._closed: deque[EmulatedSession] = deque()
        self.sessions: list[EmulatedSession] = []
        self.port = 0

    @property
    def mind(self) -> str:
        """Who answers, for reports: always a script."""
        return MIND

    @property
    def ears(self) -> str:
        """Who hears, for reports: `whisper`, or `text` where words are looked up."""
        return _EARS.get(self._ears.kind, self._ears.kind)

    @property
    def api_key(self) -> str:
        return self._settings.api_key

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def websocket_base_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/v1"

    def set_faults(self, faults: Faults) -> None:
        """For sessions that begin from here on."""
        self._settings = replace(self._settings, faults=faults)

    async def start(self) -> None:
        app = web.Application(client_max_size=MAX_EVENT_BYTES)
        app.router.add_get("/v1/realtime", self._realtime)
        app.router.add_post("/v1/responses", self._responses)
        app.router.add_get("/v1/models", self._models)
        app.router.add_get("/v1/models/{model}", self._model)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._settings.port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        for socket in list(self._sockets):
            await socket.close(code=_GONE_CLOSE)
        if self._runner is not None:
            await self._runner.cleanup()

    async def drop_sockets(self, code: int = 1_011) -> None:
        """Cut every session's socket, as a failing service would."""
        for socket in list(self._sockets):
            await socket.close(code=code)

    async def _realtime(self, request: web.Request) -> web.StreamResponse:
        if self._settings.faults.refuse_upgrades > 0:
            left = self._settings.faults.refuse_upgrades - 1
            status = self._settings.faults.refuse_status
            self.set_faults(replace(self._settings.faults, refuse_upgrades=left))
            return _error(status, *_UPGRADE_REFUSALS[status])
        denied = self._denied(request)
        if denied is not None:
            return denied
        socket = web.WebSocketResponse(max_msg_size=MAX_EVENT_BYTES, compress=False)
        await socket.prepare(request)
        refusal = self._refusal(request)
        if refusal is not None:
            return await _refuse(socket, refusal)
        self._sockets.add(socket)
        try:
            await self._serve(request, socket, request.query["model"])
        finally:
            self._sockets.discard(socket)
        return socket

    def _refusal(self, request: web.Request) -> str | None:
        """The code of what is wrong with a connection."""
        if request.headers.get("OpenAI-Beta") == _BETA_HEADER:
            return "beta_api_shape_disabled"
        if request.query.get("intent", "realtime") != "realtime":
            return "invalid_intent"
        if "model" not in request.query:
            return "missing_model"
        known = request.query["model"] in self._settings.models
        return None if known else "model_not_found"

    async def _serve(self, request: web.Request, socket: web.WebSocketResponse, model: str) -> None:
        async def send(text: str) -> None:
            if not socket.closed:
                # The client may be gone; reading from the socket tells.
                with contextlib.suppress(ConnectionResetError):
                    await socket.send_str(text)

        async def cut(code: int) -> None:
            if code == _ABNORMAL_CLOSE and request.transport is not None:
                request.transport.abort()
            else:
                await socket.close(code=code)

        session = EmulatedSession(
            model, self._settings, self._ears, self._voice, self._mind, send, cut
        )
        self.sessions.append(session)
        troubles = [
            asyncio.create_task(self._expire(socket, session)),
            asyncio.create_task(self._fail(session)),
        ]
        try:
            await session.start()
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await session.handle(message.data)
                else:
                    await socket.close(code=_REFUSED_CLOSE)
        finally:
            for trouble in troubles:
                trouble.cancel()
            await session.stop()
            self._remember(session)

    def _remember(self, session: EmulatedSession) -> None:
        """A closed session stays until enough later ones have closed."""
        self._closed.append(session)
        if len(self._closed) > self._settings.closed_sessions_kept:
            self.sessions.remove(self._closed.popleft())

    async def _expire(self, socket: web.WebSocketResponse, session: EmulatedSession) -> None:
        after_s = self._settings.faults.expire_after_s
        if after_s is None:
            return
        await asyncio.sleep(after_s)
        text = "Your session hit the maximum duration of 60 minutes."
        error = error_body("invalid_request_error", "session_expired", text)
        how = self._settings.faults.expiry
        if how is not Expiry.CLOSE:
            await session.emit("error", error=error)
        if how is not Expiry.ERROR:
            await socket.close(code=_GONE_CLOSE, message=text.encode())

    async def _fail(self, session: EmulatedSession) -> None:
        after_s = self._settings.faults.server_error_after_s
        if after_s is None:
            return
        await asyncio.sleep(after_s)
        await session.emit("error", error=error_body("server_error", None, SERVER_ERROR))

    async def _responses(self, request: web.Request) -> web.StreamResponse:
        denied = self._denied(request)
        if denied is not None:
            return denied
        try:
            body: Mapping[str, Any] = await request.json()
        except json.JSONDecodeError:
            return _error(400, "invalid_request_error", "The body is not JSON.")
        try:
            return web.json_response(responses_api.respond(body, self._analyst))
        except responses_api.SchemaRefused as refusal:
            return _error(400, "invalid_json_schema", str(refusal))

    async def _models(self, request: web.Request) -> web.StreamResponse:
        denied = self._denied(request)
        if denied is not None:
            return denied
        return web.json_response(
            {
                "object": "list",
                "data": [_model_body(model) for model in self._settings.models],
            }
        )

    async def _model(self, request: web.Request) -> web.StreamResponse:
        denied = self._denied(request)
        if denied is not None:
            return denied
        model = request.match_info["model"]
        if model not in self._settings.models:
            return _error(404, "model_not_found", "The model does not exist.")
        return web.json_response(_model_body(model))

    def _denied(self, request: web.Request) -> web.StreamResponse | None:
        if request.headers.get("Authorization") == f"Bearer {self._settings.api_key}":
            return None
        return _error(401, "invalid_api_key", "Incorrect API key provided.")


def _model_body(model: str) -> dict[str, Any]:
    return {
        "id": model,
        "object": "model",
        "created": 1_780_000_000,
        "owned_by": "system",
        "shutdown_date": _SHUTDOWN_DATES.get(model),
    }


def _error(status: int, code: str, message: str) -> web.Response:
    error = {
        "message": message,
        "type": "invalid_request_error",
        "code": code,
        "param": None,
    }
    return web.json_response({"error": error}, status=status)


async def _refuse(socket: web.WebSocketResponse, code: str) -> web.WebSocketResponse:
    error = error_body("invalid_request_error", code, _CONNECT_REFUSALS[code])
    await socket.send_str(
        json.dumps({"type": "error", "event_id": new_id("event"), "error": error})
    )
    await socket.close(code=_REFUSED_CLOSE, message=f"invalid_request_error.{code}".encode())
    return socket
