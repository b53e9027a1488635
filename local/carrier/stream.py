"""One Media Stream to the application: handshake, messages each way, the play queue."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import logging
from collections.abc import Callable
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.protocol import State

from local.carrier.play_queue import PlayQueue
from local.carrier.settings import CarrierSettings
from local.carrier.webhooks import signature

log = logging.getLogger(__name__)
HANDSHAKE_S = 5.0
_FIELDS = {
    "media": ({"event", "streamSid", "media"}, {"payload"}),
    "mark": ({"event", "streamSid", "mark"}, {"name"}),
    "clear": ({"event", "streamSid"}, set()),
}


class StreamRefused(Exception):
    """The handshake failed; `code` is Twilio's."""

    def __init__(self, code: int) -> None:
        super().__init__(f"stream error {code}")
        self.code = code


class MediaStream:
    """`note` takes Twilio's error codes; `cleared` is told of each clear."""

    def __init__(
        self,
        settings: CarrierSettings,
        stream_sid: str,
        call_sid: str,
        note: Callable[[int], None],
        cleared: Callable[[], None],
    ) -> None:
        self._settings = settings
        self.sid = stream_sid
        self._call_sid = call_sid
        self._note = note
        self._cleared = cleared
        self._connection: ClientConnection | None = None
        self._sequence = 0
        self._chunk = 0
        self.queue = PlayQueue()
        self.closed = asyncio.Event()
        self.by_us = False

    async def open(self, url: str, parameters: dict[str, str]) -> None:
        """Shake hands and say what this is; raises StreamRefused."""
        if not url.startswith("wss://"):
            raise StreamRefused(31922)
        if "?" in url:
            raise StreamRefused(31920)
        headers = {"X-Twilio-Signature": signature(self._settings.auth_token, url, {})}
        if self._settings.faults.bad_signature:
            headers["X-Twilio-Signature"] = "wrong"
        try:
            self._connection = await connect(
                self._settings.local_url(url),
                additional_headers=headers,
                user_agent_header="Twilio.TmeWs/1.0",
                compression=None,
                proxy=None,
                open_timeout=HANDSHAKE_S,
                max_size=None,
                ping_interval=None,
            )
        except InvalidStatus as error:
            raise StreamRefused(31920) from error
        except (OSError, TimeoutError, InvalidHandshake) as error:
            raise StreamRefused(31902) from error
        self._send({"event": "connected", "protocol": "Call", "version": "1.0.0"})
        start = {
            "accountSid": self._settings.account_sid,
            "streamSid": self.sid,
            "callSid": self._call_sid,
            "tracks": ["inbound"],
            "mediaFormat": {
                "encoding": "audio/x-mulaw",
                "sampleRate": 8_000,
                "channels": 1,
            },
            "customParameters": parameters,
        }
        self._send_numbered("start", {"start": start})

    async def read(self) -> None:
        """Take the application's messages until the socket is gone."""
        connection = self._connection
        if connection is None:
            return
        try:
            async for message in connection:
                self._message(message)
        except ConnectionClosed:
            pass  # an abrupt end; `closed` tells
        finally:
            if not self.by_us:
                abrupt = connection.close_code not in (1_000, 1_001)
                self._note(31903 if abrupt else 31921)
            self.closed.set()

    def media(self, sound: bytes, timestamp_ms: int) -> None:
        """A frame of the callee's sound to the application."""
        self._chunk += 1
        self._sequence += 1
        payload = base64.b64encode(sound).decode()
        # By hand: fifty of these go out each second for each call.
        self._write(
            f'{{"event":"media","sequenceNumber":"{self._sequence}","media":{{"track":"inbound",'
            f'"chunk":"{self._chunk}","timestamp":"{timestamp_ms}","payload":"{payload}"}},'
            f'"streamSid":"{self.sid}"}}'
        )

    def marks(self, names: list[str]) -> None:
        for name in names:
            self._send_numbered("mark", {"mark": {"name": name}})

    def digit(self, key: str) -> None:
        self._send_numbered("dtmf", {"dtmf": {"track": "inbound_track", "digit": key}})

    async def close(self) -> None:
        """The call or the document ends the stream: `stop`, then the socket."""
        self.by_us = True
        faults, connection = self._settings.faults, self._connection
        if connection is None:
            self.closed.set()
            return
        if faults.abrupt_reset:
            connection.transport.abort()
            return
        stop = {"accountSid": self._settings.account_sid, "callSid": self._call_sid}
        self._send_numbered("stop", {"stop": stop})
        if not faults.no_close:
            await connection.close()

    def abort(self) -> None:
        """Break the socket without a word."""
        if self._connection is not None:
            self._connection.transport.abort()

    def _message(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            self._note(31950)
            return
        try:
            body = json.loads(message)
        except json.JSONDecodeError:
            self._note(31951)
            return
        if not self._is_valid(body):
            self._note(31951)
            return
        if body["event"] == "media":
            try:
                self.queue.add(base64.b64decode(body["media"]["payload"], validate=True))
            except (binascii.Error, ValueError):
                self._note(31951)
            if self.queue.overflowed:
                self._note(31931)
        elif body["event"] == "mark":
            self.marks(self.queue.mark(body["mark"]["name"]))
        else:
            self._cleared()
            self.marks(self.queue.clear())

    def _is_valid(self, body: Any) -> bool:
        if not isinstance(body, dict) or body.get("event") not in _FIELDS:
            return False
        outer, inner = _FIELDS[body["event"]]
        if set(body) != outer or body["streamSid"] != self.sid:
            return False
        part = body.get(body["event"])
        return not inner or (isinstance(part, dict) and set(part) == inner)

    def _send_numbered(self, event: str, fields: dict[str, Any]) -> None:
        self._sequence += 1
        number = {"sequenceNumber": str(self._sequence)}
        self._send({"event": event, **number, "streamSid": self.sid, **fields})

    def _send(self, body: dict[str, Any]) -> None:
        self._write(json.dumps(body))

    def _write(self, text: str) -> None:
        connection = self._connection
        if connection is None or connection.protocol.state is not State.OPEN:
            return
        connection.protocol.send_text(text.encode())
        connection.send_data()
