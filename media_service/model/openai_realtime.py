"""OpenAI Realtime over a WebSocket, without the SDK's models on the path of sound.

The SDK costs about 55 µs for each received delta and 105 µs for each sent frame, typed decoding one (both measured);
so the socket is opened with plain `websockets` and frames are read by `wire`.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidStatus,
    WebSocketException,
)
from websockets.frames import Frame, Opcode

from media_service.engine.actions import Action, Listen
from media_service.engine.events import ModelLost, ModelRefused
from media_service.model import session_settings, wire
from media_service.model.port import Arrival, ModelUnavailable
from media_service.model.wire import ModelProtocolError
from media_service.wire_writer import FrameWriter
from shared.agents import prompt, tools
from shared.domain.agent import Agent

log = logging.getLogger(__name__)
OPEN_WITHIN_S = 5.0
CLOSE_WITHIN_S = 1.0
# The service will not let this account, or this model, speak: asking again changes nothing.
_FINAL = frozenset(
    {
        "invalid_api_key",
        "account_deactivated",
        "insufficient_quota",
        "billing_hard_limit_reached",
        "model_not_found",
        "invalid_model",
        "beta_api_shape_disabled",
    }
)
_ENDS_THE_SESSION = _FINAL | {"session_expired"}


@dataclass(frozen=True, slots=True)
class RealtimeEndpoint:
    """`base_url` is `wss://api.openai.com/v1` or the address that stands in for it."""

    base_url: str
    api_key: str

    def url(self, model: str) -> str:
        return f"{self.base_url}/realtime?model={model}"


class StampedConnection(ClientConnection):
    """Notes when each message came out of the socket: what waits in our queue from then on is our own delay."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.arrivals: deque[float] = deque()

    def process_event(self, event: Any) -> None:
        if isinstance(event, Frame) and event.opcode in (Opcode.TEXT, Opcode.BINARY):
            self.arrivals.append(self.loop.time())
        super().process_event(event)


class OpenAiRealtime:
    """Opens sessions for one agent version."""

    def __init__(self, endpoint: RealtimeEndpoint, agent: Agent, first_silence_ms: int) -> None:
        self._endpoint = endpoint
        self._agent = agent
        self._first_silence_ms = first_silence_ms

    async def open(self) -> RealtimeSession:
        """Connect, configure, and wait until the service confirms. Raises ModelUnavailable; a session that did not
        come about in time, or is not wanted any more, is closed."""
        try:
            async with asyncio.timeout(OPEN_WITHIN_S):
                session = RealtimeSession(await self._connect(), self._agent)
                try:
                    await session.configure(self._first_update())
                except BaseException:
                    await session.close()
                    raise
        except InvalidStatus as error:
            raise _unavailable(_code_of(error)) from error
        except ModelProtocolError as error:
            raise ModelUnavailable("unreadable") from error
        except (TimeoutError, OSError, InvalidHandshake, WebSocketException) as error:
            raise ModelUnavailable(type(error).__name__) from error
        return session

    async def _connect(self) -> StampedConnection:
        connection = await connect(
            self._endpoint.url(self._agent.model),
            create_connection=StampedConnection,
            additional_headers={"Authorization": f"Bearer {self._endpoint.api_key}"},
            compression=None,
            max_size=None,
            proxy=None,
            open_timeout=OPEN_WITHIN_S,
            close_timeout=CLOSE_WITHIN_S,
        )
        assert isinstance(connection, StampedConnection)
        return connection

    def _first_update(self) -> dict[str, object]:
        agent = self._agent
        return session_settings.first_update(
            agent, prompt.instructions(agent), tools.offered(agent), self._first_silence_ms
        )


class RealtimeSession:
    """One session. `append` and `perform` write at once; `events` reads until the socket is gone."""

    def __init__(self, connection: StampedConnection, agent: Agent) -> None:
        self._connection = connection
        self._writer = FrameWriter(connection, "model")
        self._agent = agent

    async def configure(self, session: dict[str, object]) -> None:
        """Send the first update and wait for `session.updated`; raises ModelUnavailable."""
        self._send({"type": "session.update", "event_id": "cfg", "session": session})
        while True:
            _at_s, frame = await self._receive()
            message = wire.decode(frame)
            if message.type == "session.updated":
                return
            if message.type == "error":
                raise _unavailable((message.error and message.error.code) or "refused")

    def append(self, payload: bytes) -> None:
        self._writer.send(wire.append(payload))

    def commit(self, request_id: str) -> None:
        self._send({"type": "input_audio_buffer.commit", "event_id": request_id})

    def perform(self, action: Action) -> None:
        if isinstance(action, Listen):
            session = session_settings.listening_update(self._agent, action.silence_ms)
            self._send({"type": "session.update", "event_id": "listen", "session": session})
            return
        frame = wire.encode(action)
        if frame is not None:
            self._writer.send(frame)

    async def events(self) -> AsyncIterator[Arrival]:
        agent = self._agent
        loop = asyncio.get_running_loop()
        try:
            while True:
                at_s, frame = await self._receive()
                try:
                    message = wire.decode(frame)
                    event = wire.as_event(message, agent.model, agent.transcription_model)
                except ModelProtocolError:
                    log.warning("the model sent a frame that cannot be read")
                    continue
                if isinstance(event, ModelRefused):
                    log.warning("the model refused a request", extra={"code": event.code})
                    if event.code in _ENDS_THE_SESSION:
                        event = ModelLost(event.code)
                if event is not None:
                    yield Arrival(event, at_s)
                if isinstance(event, ModelLost):
                    return
        except ConnectionClosed as closed:
            code = str(closed.rcvd.code if closed.rcvd else 1006)
            yield Arrival(ModelLost(code), loop.time())

    async def close(self) -> None:
        try:
            await self._connection.close()
        finally:
            self._connection.transport.abort()

    async def _receive(self) -> tuple[float, bytes]:
        """When the next message came, and the message."""
        frame = await self._connection.recv(decode=False)
        return self._connection.arrivals.popleft(), frame

    def _send(self, body: dict[str, object]) -> None:
        self._writer.send(json.dumps(body, ensure_ascii=False).encode())


def _unavailable(code: str) -> ModelUnavailable:
    return ModelUnavailable(code, is_final=code in _FINAL)


def _code_of(error: InvalidStatus) -> str:
    """The service's code for an upgrade that it refused, or the status."""
    response = error.response
    try:
        return str(json.loads(response.body or b"")["error"]["code"])
    except (ValueError, KeyError, TypeError):
        return f"http_{response.status_code}"
