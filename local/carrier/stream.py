"""One Media Stream to the application: handshake, messages each way, the play queue."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.protocol import State

from local.carrier.play_queue import PlayQueue
from local.carrier.settings import CarrierSettings
from local.carrier.webhooks import signature_headers

log = logging.getLogger(__name__)
HANDSHAKE_S = 5.0
PARAMETER_LENGTH_MAX = 500
_FIELDS = {
    "media": ({"event", "streamSid", "media"}, {"payload"}),
    "mark": ({"event", "streamSid", "mark"}, {"name"}),
    "clear": ({"event", "streamSid"}, set()),
}


class Track(StrEnum):
    """Whose sound: `inbound` is the far end's."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


TRACKS = {
    "inbound_track": (Track.INBOUND,),
    "outbound_track": (Track.OUTBOUND,),
    "both_tracks": (Track.INBOUND, Track.OUTBOUND),
}


@dataclass(frozen=True, slots=True)
class StreamOrder:
    """What a `<Stream>` or the REST door asks for. One-way streams only listen."""

    url: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    tracks: tuple[Track, ...] = (Track.INBOUND,)
    is_one_way: bool = False
    name: str | None = None
    callback: str | None = None

    def check(self) -> None:
        """Raises StreamRefused for what is refused before any socket is opened."""
        if not self.url.startswith("wss://"):
            raise StreamRefused(31922)
        if "?" in self.url:
            raise StreamRefused(31920)
        if not self.is_one_way and self.tracks != (Track.INBOUND,):
            raise StreamRefused(31941)
        for name, value in self.parameters.items():
            if len(name) + len(value) >= PARAMETER_LENGTH_MAX:
                raise StreamRefused(12200)


class StreamRefused(Exception):
    """The handshake failed; `code` is Twilio's."""

    def __init__(self, code: int) -> None:
        super().__init__(f"stream error {code}")
        self.code = code


class MediaStream:
    """`note` takes Twilio's error codes; `cleared` is told of each clear; `object` of each message that breaks the
    protocol."""

    def __init__(
        self,
        settings: CarrierSettings,
        stream_sid: str,
        call_sid: str,
        order: StreamOrder,
        note: Callable[[int], None],
        cleared: Callable[[], None],
        violated: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self.sid = stream_sid
        self.order = order
        self.name = order.name or stream_sid
        self._violated = violated
        self._call_sid = call_sid
        self._note = note
        self._cleared = cleared
        self._connection: ClientConnection | None = None
        self._sequence = 0
        self._chunk = 0
        self.queue = PlayQueue()
        self.closed = asyncio.Event()
        self.by_us = False

    async def open(self) -> None:
        """Shake hands and say what this is; raises StreamRefused."""
        self.order.check()
        url, faults = self.order.url, self._settings.faults
        local = self._settings.local_url(url)
        if local is None:
            raise StreamRefused(31910)
        try:
            self._connection = await connect(
                local,
                additional_headers=signature_headers(
                    self._settings.auth_token, faults.signing, url, {}
                ),
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
        if faults.stream.never_pong:
            _keep_pongs_back(self._connection)
        self._send({"event": "connected", "protocol": "Call", "version": "1.0.0"})
        start = {
            "accountSid": self._settings.account_sid,
            "streamSid": self.sid,
            "callSid": self._call_sid,
            "tracks": [track.value for track in self.order.tracks],
            "mediaFormat": {
                "encoding": "audio/x-mulaw",
                "sampleRate": 8_000,
                "channels": 1,
            },
            "customParameters": dict(self.order.parameters),
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

    def fork(self, inbound: bytes, outbound: bytes, timestamp_ms: int) -> None:
        """A frame of a one-way stream."""
        for track in self.order.tracks:
            self.media(inbound if track is Track.INBOUND else outbound, timestamp_ms, track)

    def media(self, sound: bytes, timestamp_ms: int, track: Track = Track.INBOUND) -> None:
        """A frame of sound to the application."""
        self._chunk += 1
        self._sequence += 1
        payload = base64.b64encode(sound).decode()
        # By hand: fifty of these go out each second for each call.
        self._write(
            f'{{"event":"media","sequenceNumber":"{self._sequence}","media":{{"track":"{track}",'
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
        faults, connection = self._settings.faults.stream, self._connection
        if connection is None:
            self.closed.set()
            return
        if faults.abrupt_reset:
            connection.transport.abort()
            return
        if faults.close_without_stop:
            await connection.close()
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
            self._violated("a binary frame")
            return
        try:
            body = json.loads(message)
        except json.JSONDecodeError:
            self._refuse("no JSON")
            return
        if self.order.is_one_way or not self._is_valid(body):
            self._refuse("a message that is none of media, mark and clear, or has other fields")
            return
        if body["event"] == "media":
            try:
                self.queue.add(base64.b64decode(body["media"]["payload"], validate=True))
            except (binascii.Error, ValueError):
                self._refuse("a payload that is no base64")
            if self.queue.overflowed:
                self._note(31931)
        elif body["event"] == "mark":
            self.marks(self.queue.mark(body["mark"]["name"]))
        else:
            self._cleared()
            self.marks(self.queue.clear())

    def _refuse(self, what: str) -> None:
        """The message is ignored, the call goes on."""
        self._note(31951)
        self._violated(what)

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


def _keep_pongs_back(connection: ClientConnection) -> None:
    """The library answers pings by itself; here it may not."""
    protocol = connection.protocol
    send = protocol.send_frame

    def filtered(frame: Frame) -> None:
        if frame.opcode is not Opcode.PONG:
            send(frame)

    protocol.send_frame = filtered  # type: ignore[method-assign]
