"""One Media Stream to the application: handshake, messages each way, the play queue."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import ssl
import struct
from collections.abc import Callable
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.frames import Frame, Opcode
from websockets.protocol import State

from local.carrier import stream_order
from local.carrier.play_queue import PlayQueue
from local.carrier.settings import CarrierSettings
from local.carrier.sids import new_sid
from local.carrier.stream_messages import BadMessage, Clear, Mark, Media, read_message
from local.carrier.stream_order import StreamOrder, StreamRefused, Track
from local.carrier.webhooks import signature_headers

HANDSHAKE_S = 5.0
CLOSE_S = 2.0
BROKEN_PIPE, CLOSED_BY_APPLICATION, PROTOCOL_VIOLATION = 31903, 31921, 31924
READS_TOO_SLOWLY, QUEUE_FULL, UNDECODABLE, BAD_MESSAGE = 31930, 31931, 31950, 31951
# Small, so that a slow reader shows in the transport's buffer and not seconds later.
_SOCKET_BUFFER_BYTES = 16_384
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class _Handshake(connect):
    """Twilio takes anything but 101 for a failure, redirects too."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class MediaStream:
    """`note` takes Twilio's error codes; `violated` is told of each message that breaks the
    protocol. `closed` is set when the socket is gone. `since_ms` says when on its line the stream began."""

    def __init__(
        self,
        settings: CarrierSettings,
        call_sid: str,
        order: StreamOrder,
        note: Callable[[int], None],
        violated: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self.sid = new_sid("MZ")
        self.order = order
        self.name = order.name or self.sid
        self._violated = violated
        self._call_sid = call_sid
        self._note = note
        self._noted: set[int] = set()
        self._connection: ClientConnection | None = None
        self._sequence = 0
        self._chunk = 0
        self._reading: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        self.queue = PlayQueue()
        self.closed = asyncio.Event()
        self.since_ms = 0
        self.by_us = False

    async def open(self) -> None:
        """Shake hands, say what this is and begin to listen; raises StreamRefused."""
        self.order.check()
        connection = self._connection = await self._connected()
        raw: socket.socket = connection.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SOCKET_BUFFER_BYTES)
        if self._settings.faults.stream.never_pong:
            _keep_pongs_back(connection)
        self._send({"event": "connected", "protocol": "Call", "version": "1.0.0"})
        start = {
            "accountSid": self._settings.account_sid,
            "streamSid": self.sid,
            "callSid": self._call_sid,
            "tracks": [track.value for track in self.order.tracks],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8_000, "channels": 1},
            "customParameters": dict(self.order.parameters),
        }
        self._send_numbered("start", {"start": start})
        self._reading = asyncio.create_task(self._read(connection))

    async def _connected(self) -> ClientConnection:
        url, faults = self.order.url, self._settings.faults
        local = self._settings.local_url(url)
        if local is None:
            raise StreamRefused(stream_order.UNREACHABLE)
        signed = signature_headers(self._settings.auth_token, faults.signing, url, {})
        try:
            return await _Handshake(
                local,
                additional_headers={**signed, "Accept-Encoding": "gzip"},
                user_agent_header="Twilio.TmeWs/1.0",
                compression=None,
                proxy=None,
                open_timeout=HANDSHAKE_S,
                close_timeout=CLOSE_S,
                max_size=None,
                ping_interval=None,
            )
        except InvalidHandshake as error:
            raise StreamRefused(stream_order.HANDSHAKE_FAILED) from error
        except TimeoutError as error:
            raise StreamRefused(stream_order.TIMED_OUT) from error
        except ConnectionRefusedError as error:
            raise StreamRefused(stream_order.CONNECTION_REFUSED) from error
        except ssl.SSLError as error:
            raise StreamRefused(stream_order.TLS_FAILED) from error
        except OSError as error:
            raise StreamRefused(stream_order.UNREACHABLE) from error

    async def _read(self, connection: ClientConnection) -> None:
        """Take the application's messages until the socket is gone."""
        try:
            async for message in connection:
                if not self.by_us:
                    self._message(message)
        except ConnectionClosed:
            pass  # an abrupt end; the note tells
        finally:
            connection.transport.abort()
            if not self.by_us:
                self._note(_end_code(connection))
            self.closed.set()

    def fork(self, inbound: bytes, outbound: bytes, at_ms: int) -> None:
        """A frame of a one-way stream."""
        for track in self.order.tracks:
            self.media(inbound if track is Track.INBOUND else outbound, at_ms, track)

    def media(self, sound: bytes, at_ms: int, track: Track = Track.INBOUND) -> None:
        """A frame of sound to the application, `at_ms` on the line; dropped where it reads too slowly."""
        connection = self._connection
        if connection is None:
            return
        if connection.transport.get_write_buffer_size() > self._settings.unread_bytes_max:
            self._warn(READS_TOO_SLOWLY)
            return
        self._chunk += 1
        self._sequence += 1
        payload = base64.b64encode(sound).decode()
        timestamp_ms = at_ms - self.since_ms + self._settings.first_timestamp_ms
        # By hand: fifty of these go out each second for each call.
        self._write(
            f'{{"event":"media","sequenceNumber":"{self._sequence}","media":{{"track":"{track}",'
            f'"chunk":"{self._chunk}","timestamp":"{timestamp_ms}","payload":"{payload}"}},'
            f'"streamSid":"{self.sid}"}}'
        )

    def marks(self, names: list[str]) -> None:
        """Send marks back."""
        for name in names:
            self._send_numbered("mark", {"mark": {"name": name}})

    def digit(self, key: str) -> None:
        """The far end pressed a key."""
        self._send_numbered("dtmf", {"dtmf": {"track": "inbound_track", "digit": key}})

    def close(self) -> None:
        """The call or the document ends the stream: `stop`, then the socket, whose end nobody waits for."""
        if self.by_us:
            return
        self.by_us = True
        faults, connection = self._settings.faults.stream, self._connection
        if connection is None:
            self.closed.set()
            return
        if faults.abrupt_reset:
            self.reset()
            return
        if not faults.close_without_stop:
            stop = {"accountSid": self._settings.account_sid, "callSid": self._call_sid}
            self._send_numbered("stop", {"stop": stop})
        if not faults.no_close:
            self._closing = asyncio.create_task(connection.close())

    def reset(self) -> None:
        """Break the connection without a word (TCP reset)."""
        if self._connection is not None:
            raw: socket.socket = self._connection.transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            self._connection.transport.abort()

    def when_gone(self, told: Callable[[MediaStream], None]) -> None:
        """Tell of the end of an open stream's connection."""
        assert self._reading is not None, "the stream is not open"
        self._reading.add_done_callback(lambda _: told(self))

    async def gone(self) -> None:
        """Break what is left of the connection and leave no task."""
        if self._connection is not None:
            self._connection.transport.abort()
        tasks = [task for task in (self._reading, self._closing) if task is not None]
        if tasks:
            await asyncio.wait(tasks)

    def _message(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            self._warn(UNDECODABLE)
            self._violated("a binary frame")
            return
        try:
            if self.order.is_one_way:
                raise BadMessage("a message on a one-way stream")
            told = read_message(message, self.sid)
        except BadMessage as bad:
            # Ignored; the call goes on.
            self._warn(BAD_MESSAGE)
            self._violated(str(bad))
            return
        match told:
            case Media(sound):
                self.queue.add(sound)
                if self.queue.overflowed:
                    self._warn(QUEUE_FULL)
            case Mark(name):
                self.marks(self.queue.mark(name))
            case Clear():
                self.marks(self.queue.clear())

    def _warn(self, code: int) -> None:
        """Warnings are noted once for each stream, however often they happen."""
        if code not in self._noted:
            self._noted.add(code)
            self._note(code)

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


def _end_code(connection: ClientConnection) -> int:
    """How the application's side ended the stream."""
    if connection.protocol.close_rcvd is not None:
        return CLOSED_BY_APPLICATION
    return PROTOCOL_VIOLATION if connection.protocol.close_sent is not None else BROKEN_PIPE


def _keep_pongs_back(connection: ClientConnection) -> None:
    """The library answers pings by itself; here it may not."""
    protocol = connection.protocol
    send = protocol.send_frame

    def filtered(frame: Frame) -> None:
        if frame.opcode is not Opcode.PONG:
            send(frame)

    protocol.send_frame = filtered  # type: ignore[method-assign]
