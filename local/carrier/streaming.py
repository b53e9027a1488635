"""The Media Streams of one call: opened, listened to, ended, and reported to their callbacks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from local.carrier.line import Line
from local.carrier.stream import MediaStream
from local.carrier.stream_order import UNKNOWN_FAILURE, StreamOrder, StreamRefused
from local.carrier.waiting import first_of

if TYPE_CHECKING:
    from asyncio import Event

    from local.carrier.call import EmulatedCall

ONE_WAY_TRACKS_MAX = 4


class CallStreams:
    """One for each answered call."""

    def __init__(self, call: EmulatedCall, line: Line) -> None:
        self._call = call
        self._line = line

    async def converse(self, order: StreamOrder, replaced: Event) -> MediaStream:
        """A stream both ways, until the application, the call or a new document ends it."""
        stream = self._new(order)
        if not await self._is_opened(stream):
            return stream
        self._line.attach(stream)
        await first_of(stream.closed.wait(), self._call.over.wait(), replaced.wait())
        self._line.detach()
        self._end(stream)
        return stream

    def refuse(self, order: StreamOrder, code: int) -> None:
        """Say to log and callback that this stream does not come about."""
        self._refused(self._new(order), StreamRefused(code))

    async def tap(self, order: StreamOrder) -> MediaStream:
        """Begin a one-way stream; raises StreamRefused, which log and callback are told of."""
        stream = self._new(order)
        tracks = sum(len(tap.order.tracks) for tap in self._line.taps)
        if tracks + len(order.tracks) > ONE_WAY_TRACKS_MAX:
            refusal = StreamRefused(UNKNOWN_FAILURE)
            self._refused(stream, refusal)
            raise refusal
        await self._opened(stream)
        self._line.tap(stream)
        self._call.one_way_streams[stream.sid] = stream
        self._call.spawn(self._watch(stream))
        if self._call.is_over:
            self.untap(stream)
        return stream

    def untap(self, stream: MediaStream) -> None:
        """End a one-way stream; idempotent."""
        if stream in self._line.taps:
            self._line.taps.remove(stream)
            self._end(stream)

    async def _watch(self, stream: MediaStream) -> None:
        await stream.closed.wait()
        self.untap(stream)

    def _new(self, order: StreamOrder) -> MediaStream:
        return MediaStream(
            replace(self._call.carrier.settings, faults=self._call.faults),
            self._call.sid,
            order,
            lambda code: self._call.note(code, order.url),
            self._call.carrier.violations.append,
        )

    async def _is_opened(self, stream: MediaStream) -> bool:
        try:
            await self._opened(stream)
        except StreamRefused:
            return False
        return True

    async def _opened(self, stream: MediaStream) -> None:
        try:
            await stream.open()
        except StreamRefused as refusal:
            self._refused(stream, refusal)
            raise
        self._call.carrier.keep_track_of(stream)
        self._tell(stream, "stream-started")

    def _refused(self, stream: MediaStream, refusal: StreamRefused) -> None:
        self._call.note(refusal.code, stream.order.url)
        self._tell(stream, "stream-error", str(refusal))

    def _end(self, stream: MediaStream) -> None:
        by_application = stream.closed.is_set()
        if not by_application:
            stream.close()
        is_error = by_application and self._call.faults.stream.close_is_error
        self._tell(stream, "stream-error" if is_error else "stream-stopped")

    def _tell(self, stream: MediaStream, event: str, error: str = "") -> None:
        callback = stream.order.callback
        if callback is None:
            return
        form = {
            "AccountSid": self._call.carrier.settings.account_sid,
            "CallSid": self._call.sid,
            "StreamSid": stream.sid,
            "StreamName": stream.name,
            "StreamEvent": event,
            "Timestamp": self._call.now().isoformat(),
        }
        if error:
            form["StreamError"] = error
        self._call.spawn(self._call.deliver(callback, form))
