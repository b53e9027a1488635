"""One stream of the phone line: what belongs to it is passed on, what does not is counted and left alone."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator
from enum import StrEnum

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from media_service.load import Load
from media_service.phone import wire
from media_service.phone.wire import FRAME_MS, PhoneMessage, PhoneProtocolError
from media_service.wire_writer import FrameWriter

log = logging.getLogger(__name__)
# A carrier that speaks Media Streams sends none; whoever sends this many speaks something else.
MAX_BAD_FRAMES = 50
POLICY_VIOLATION = 1008
# The carrier sends 50 frames a second as long as the call lasts. A line on hold may send none for a while.
DEAD_AFTER_S = 30.0


class BadFrame(StrEnum):
    """Why a frame is left alone."""

    BINARY = "binary"
    UNREADABLE = "unreadable"
    OTHER_STREAM = "other_stream"
    OTHER_TRACK = "other_track"
    START_AGAIN = "start_again"


class PhoneLine:
    """`start` comes first. `started_s` is the event loop's time at which the start message arrived; `next_frame_ms`
    where in the stream the next frame of the callee's sound lies; `was_let_go` tells that its end is our doing."""

    def __init__(self, connection: ServerConnection, load: Load) -> None:
        self._connection = connection
        self._load = load
        self._writer = FrameWriter(connection, "phone")
        self._words = wire.PhoneWriter("")
        self._stream_sid = ""
        self._bad: Counter[BadFrame] = Counter()
        self._received = 0
        self.started_s = 0.0
        self.next_frame_ms = 0
        self.was_let_go = False
        self.log_keys: dict[str, object] = {}

    async def start(self) -> wire.Start:
        """Wait for the start message. Raises PhoneProtocolError or websockets' ConnectionClosed."""
        while True:
            frame = await self._connection.recv()
            if not isinstance(frame, str):
                raise PhoneProtocolError("a binary frame came before the start")
            message = wire.decode(frame)
            if message.event == "start":
                if message.start is None:
                    raise PhoneProtocolError("the start message is empty")
                self.started_s = asyncio.get_running_loop().time()
                self._stream_sid = message.start.stream_sid
                self._words = wire.PhoneWriter(self._stream_sid)
                return message.start
            if message.event != "connected":
                raise PhoneProtocolError("the first message is neither connected nor start")

    async def messages(self) -> AsyncIterator[PhoneMessage]:
        """The stream's messages until its socket is gone, or until too many frames were not of it."""
        try:
            while self._bad.total() < MAX_BAD_FRAMES:
                frame = await self._connection.recv()
                self._received += 1
                found = self._sorted(frame)
                if isinstance(found, BadFrame):
                    self._ignore(found)
                else:
                    yield found
        except ConnectionClosed:
            return
        log.error("the phone line's frames are not of this stream", extra=self.log_keys)
        self.was_let_go = True
        await self._connection.close(POLICY_VIOLATION, "too many bad frames")

    async def cut_when_dead(self) -> None:
        """Let go of a socket on which nothing arrives any more: its end may never be told."""
        seen = -1
        while self._received != seen:
            seen = self._received
            await asyncio.sleep(DEAD_AFTER_S)
        log.warning("the phone line is silent and is let go", extra=self.log_keys)
        self.was_let_go = True
        self.cut()

    def send_sound(self, sound: bytes) -> None:
        self._writer.send(self._words.media(sound))

    def send_mark(self, name: str) -> None:
        self._writer.send(self._words.mark(name))

    def send_clear(self) -> None:
        self._writer.send(self._words.clear)

    async def close(self) -> None:
        """The carrier goes on with what follows in the call's document."""
        await self._connection.close()

    def cut(self) -> None:
        """Let go of a socket that may be dead, without waiting for its other side."""
        self._connection.transport.abort()

    def _sorted(self, frame: str | bytes) -> PhoneMessage | BadFrame:
        if not isinstance(frame, str):
            return BadFrame.BINARY
        try:
            message = wire.decode(frame)
        except PhoneProtocolError:
            return BadFrame.UNREADABLE
        if message.stream_sid != self._stream_sid:
            return BadFrame.OTHER_STREAM
        if message.event == "start":
            return BadFrame.START_AGAIN
        media = message.media
        if media is not None:
            if media.track not in (None, "inbound"):
                return BadFrame.OTHER_TRACK
            at_ms = media.timestamp or ""
            position_ms = int(at_ms) if at_ms.isdecimal() else self.next_frame_ms
            self.next_frame_ms = position_ms + FRAME_MS
        return message

    def _ignore(self, why: BadFrame) -> None:
        self._bad[why] += 1
        self._load.bad_frames += 1
        if self._bad[why] == 1:
            extra = {**self.log_keys, "cause": why.value}
            log.warning("a frame of the phone line is ignored", extra=extra)
