"""One call: its timeline, what runs on it, the callbacks it causes."""

from __future__ import annotations

import asyncio
import math
import uuid
from collections.abc import Awaitable, Mapping
from email.utils import format_datetime
from typing import TYPE_CHECKING

from local.carrier.far_end import FarEnd, Pickup, PickupPlan, RingingCall
from local.carrier.interpreter import Document, Interpreter
from local.carrier.line import Line
from local.carrier.orders import Address, CallRequest
from local.carrier.record import TERMINAL, CallRecord
from local.carrier.recordings import Recording, RecordingSource
from local.carrier.stream import MediaStream, StreamOrder
from local.carrier.webhooks import Exchange

if TYPE_CHECKING:
    from local.carrier.carrier import Carrier

_SIP = {
    "completed": "200",
    "busy": "486",
    "no-answer": "487",
    "failed": "404",
    "canceled": "487",
}
_EVENT_OF = {"initiated": "initiated", "ringing": "ringing", "in-progress": "answered"}
_REORDERED_S = 0.5
TIME_LIMIT, NO_AMD_CALLBACK, CALLBACK_REFUSED, BAD_EVENTS = 32015, 21262, 15003, 21626


class EmulatedCall(CallRecord):
    """From the queue to the end."""

    def __init__(self, carrier: Carrier, request: CallRequest, callbacks_broken: bool) -> None:
        super().__init__(request, carrier.settings.now)
        self.carrier = carrier
        self.line: Line | None = None
        self.over = asyncio.Event()
        self._callbacks_broken = callbacks_broken
        self._sequence = 0
        self._wanted_end: str | None = None
        self._interpreter: Interpreter | None = None
        self._told: set[str] = set()
        self._held_back: list[dict[str, str]] = []
        self._limit: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._fallback_url = request.address.fallback_url if request.address else None
        if callbacks_broken:
            self.note(BAD_EVENTS)
        if request.machine_detection and request.machine_async and not request.machine_callback:
            self.note(NO_AMD_CALLBACK)

    @property
    def is_ending(self) -> bool:
        return self._wanted_end is not None

    @property
    def interpreter(self) -> Interpreter | None:
        """Set while the call is answered."""
        return self._interpreter

    async def run(self) -> None:
        """The whole life of the call."""
        far_end: FarEnd | None = None
        try:
            if not self.is_ending:
                await self.report("initiated")
                ringing = RingingCall(self.sid, self.request.from_number, self.request.to_number)
                far_end = self.carrier.far_ends.far_end_for(ringing)
                await self._ring(far_end)
        finally:
            await self._end(far_end)

    def end(self, status: str) -> None:
        """End the call from outside: `canceled` before the answer, `completed` any time."""
        if self._wanted_end is None:
            self._wanted_end = status
            self.over.set()

    def redirect(self, source: str | Address) -> None:
        """Replace the running document."""
        if isinstance(source, Address):
            self._fallback_url = source.fallback_url
        if self._interpreter is not None:
            self._interpreter.replace(Document(source))

    def limit(self, seconds: int) -> None:
        """A new maximum duration, counted from now on."""
        if self._limit is not None:
            self._limit.cancel()
        self._limit = asyncio.get_running_loop().call_later(seconds, self._at_limit)

    def take_fallback(self) -> str | None:
        """The fallback address, once."""
        url, self._fallback_url = self._fallback_url, None
        return url

    async def _ring(self, far_end: FarEnd | None) -> None:
        await self._sleep(self.carrier.settings.ringing_after_ms)
        if self.is_ending:
            return
        if far_end is None:
            self._wanted_end = "failed"
            return
        self.status = "ringing"
        await self.report("ringing")
        plan = far_end.pickup_plan()
        ring_ms = self.request.ring_s * 1_000
        await self._sleep(min(plan.after_ms, ring_ms))
        if self.is_ending:
            return
        if plan.pickup is not Pickup.ANSWER or plan.after_ms > ring_ms:
            ends = {Pickup.BUSY: "busy", Pickup.FAILED: "failed"}
            self._wanted_end = ends.get(plan.pickup, "no-answer")
            return
        await self._answered(far_end, plan)

    async def _answered(self, far_end: FarEnd, plan: PickupPlan) -> None:
        self.mark_answered()
        self.line = line = Line(far_end, self.carrier.settings.faults.stream)
        self.carrier.lines.add(line)
        self.limit(self.request.limit_s)
        self.spawn(self._watch_far_end(line))
        document = Document(self.request.address or self.request.twiml or "")
        self._interpreter = Interpreter(self, line, document)
        if self.request.recorded is not None:
            recorded = self.request.recorded
            self.start_recording(RecordingSource.CREATION, recorded.channels, recorded.callback)
        self.spawn(self.report("in-progress"))
        extra: dict[str, str] = {}
        if self.request.machine_detection and plan.verdict is not None:
            if self.request.machine_async:
                self.spawn(self._tell_verdict(plan.verdict.value, plan.verdict_after_ms))
            else:
                await self._sleep(plan.verdict_after_ms)
                self.answered_by = plan.verdict.value
                extra = _verdict(plan.verdict.value, plan.verdict_after_ms)
        try:
            await self._interpreter.run(extra)
        finally:
            if self._limit is not None:
                self._limit.cancel()
        self.end("completed")

    def _at_limit(self) -> None:
        self.note(TIME_LIMIT)
        self.end("completed")

    # --- for the interpreter and the REST door

    async def request_document(self, address: Address, extra: Mapping[str, str]) -> Exchange:
        """Ask for TwiML."""
        form = {**self._form("in-progress"), **extra}
        return await self._send(address.url, form, address.method)

    def new_stream(self, order: StreamOrder, sid: str, line: Line) -> MediaStream:
        stream = MediaStream(
            self.carrier.settings,
            sid,
            self.sid,
            order,
            self.note,
            line.cleared,
            self.carrier.violations.append,
        )
        self.carrier.open_streams.add(stream)
        return stream

    def stream_event(self, stream: MediaStream, event: str, error: str = "") -> None:
        """Tell the stream's callback, if it has one."""
        callback = stream.order.callback
        if callback is None:
            return
        form = {
            "AccountSid": self.carrier.settings.account_sid,
            "CallSid": self.sid,
            "StreamSid": stream.sid,
            "StreamName": stream.name,
            "StreamEvent": event,
            "Timestamp": self.now().isoformat(),
        }
        if error:
            form["StreamError"] = error
        self.spawn(self._deliver(callback, form))

    def stream_ended(self, stream: MediaStream, by_application: bool) -> None:
        if not self.carrier.settings.faults.stream.no_close:
            self.carrier.open_streams.discard(stream)
        is_error = by_application and self.carrier.settings.faults.stream.close_is_error
        self.stream_event(stream, "stream-error" if is_error else "stream-stopped")

    def start_recording(
        self,
        source: RecordingSource,
        channels: int,
        callback: str | None,
        events: frozenset[str] = frozenset({"completed"}),
    ) -> Recording:
        now_ms = self.line.at_ms if self.line else 0
        recording = Recording(source, channels, now_ms, self.now(), callback, events)
        self.recordings[recording.sid] = recording
        if "in-progress" in events:
            self.spawn(self._tell_recording(recording))
        return recording

    def stop_recording(self, recording: Recording) -> None:
        if recording.is_running:
            recording.stop(self.line.at_ms if self.line else 0)
            if "completed" in recording.events:
                self.spawn(self._tell_recording(recording))

    def recording_url(self, recording: Recording) -> str:
        account = self.carrier.settings.account_sid
        return f"{self.carrier.base_url}/2010-04-01/Accounts/{account}/Recordings/{recording.sid}"

    async def _tell_recording(self, recording: Recording) -> None:
        if recording.callback is None:
            return
        await self._deliver(
            recording.callback,
            {
                "AccountSid": self.carrier.settings.account_sid,
                "CallSid": self.sid,
                "RecordingSid": recording.sid,
                "RecordingUrl": self.recording_url(recording),
                "RecordingStatus": recording.status.value,
                "RecordingDuration": str(recording.duration_s),
                "RecordingChannels": str(recording.channels),
                "RecordingSource": recording.source.value,
            },
        )

    # --- the far end, the verdict, the end

    async def _watch_far_end(self, line: Line) -> None:
        while not line.hung_up:
            if self.over.is_set():
                return
            await asyncio.sleep(0.02)
        self.end("completed")

    async def _tell_verdict(self, verdict: str, after_ms: int) -> None:
        faults = self.carrier.settings.faults.machine
        if faults.never:
            return
        if faults.after_end:
            await self.over.wait()
        else:
            await asyncio.sleep(after_ms / 1_000)
        self.answered_by = verdict
        form = {
            "CallSid": self.sid,
            "AccountSid": self.carrier.settings.account_sid,
            **_verdict(verdict, after_ms),
        }
        if self.request.machine_callback is not None:
            for _ in range(2 if faults.twice else 1):
                await self._deliver(self.request.machine_callback, form)

    async def _end(self, far_end: FarEnd | None) -> None:
        """Whatever happened, the call is over now."""
        self.mark_ended(self._wanted_end or "failed")
        self.over.set()
        line = self.line
        if line is not None:
            self.carrier.lines.discard(line)
            for stream in [*line.taps, *([line.stream] if line.stream else [])]:
                await stream.close()
        if far_end is not None:
            far_end.ended(line.at_ms if line else 0, bool(line and line.hung_up))
        for recording in self.recordings.values():
            self.stop_recording(recording)
        folder = self.carrier.settings.record_folder
        if line is not None and folder is not None:
            await asyncio.to_thread(line.record, folder / f"{self.sid}.wav")
        await self.report(self.status)
        for form in self._held_back:
            await self._deliver(self.request.status_callback or "", form)
        self.spawn(self._price())
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5)
        for task in self._tasks:
            task.cancel()

    async def _price(self) -> None:
        if self.answered_at is None:
            return
        await asyncio.sleep(self.carrier.settings.price_after_ms / 1_000)
        per_minute = self.carrier.settings.price_per_minute_usd
        self.price_usd = round(math.ceil(self.duration_s / 60) * per_minute, 5)

    # --- status callbacks

    async def report(self, status: str) -> None:
        """One status callback; each status is reported once."""
        event = _EVENT_OF.get(status, "completed")
        faults = self.carrier.settings.faults.callbacks
        callback = self.request.status_callback
        if status in self._told:
            return
        self._told.add(status)
        if callback is None or event not in self.request.events or self._callbacks_broken:
            return
        form = self._status_form(status)
        if event in faults.drop:
            return
        if event in faults.after_end and status not in TERMINAL:
            self._held_back.append(form)
        elif faults.reorder and status not in TERMINAL:
            self.spawn(self._later(_REORDERED_S, callback, form))
        else:
            token = str(uuid.uuid4())
            for _ in range(2 if faults.duplicate else 1):
                await self._deliver(callback, form, token)

    def _status_form(self, status: str) -> dict[str, str]:
        form = self._form(status)
        form["SequenceNumber"] = str(self._sequence)
        form["CallbackSource"] = "call-progress-events"
        form["Timestamp"] = format_datetime(self.now())
        self._sequence += 1
        if status in TERMINAL:
            form["SipResponseCode"] = _SIP[status]
            form["CallDuration"] = str(self.duration_s)
            form["Duration"] = str(math.ceil(self.duration_s / 60))
            if self.answered_by is not None:
                form["AnsweredBy"] = self.answered_by
        return form

    async def _later(self, after_s: float, callback: str, form: dict[str, str]) -> None:
        await asyncio.sleep(after_s)
        await self._deliver(callback, form)

    async def _deliver(
        self, callback: str, form: Mapping[str, str], token: str | None = None
    ) -> None:
        """A callback whose answer says nothing but that it came."""
        exchange = await self._send(callback, form, token=token)
        if not exchange.answer.is_fine:
            self.note(CALLBACK_REFUSED, exchange.url)

    async def _send(
        self, url: str, form: Mapping[str, str], method: str = "POST", token: str | None = None
    ) -> Exchange:
        exchange = await self.carrier.webhooks.send(url, form, self.note, method, token)
        self.events.append(exchange)
        return exchange

    def _form(self, status: str) -> dict[str, str]:
        request = self.request
        form = {
            "CallSid": self.sid,
            "AccountSid": self.carrier.settings.account_sid,
            "From": request.from_number,
            "To": request.to_number,
            "Caller": request.from_number,
            "Called": request.to_number,
            "CallStatus": status,
            "ApiVersion": "2010-04-01",
            "Direction": "outbound-api",
        }
        for side in ("From", "To", "Caller", "Called"):
            form |= {f"{side}{what}": "" for what in ("City", "State", "Zip", "Country")}
        return form

    async def _sleep(self, ms: int) -> None:
        """Sleep, unless the call ends meanwhile."""
        try:
            await asyncio.wait_for(self.over.wait(), ms / 1_000)
        except TimeoutError:
            return

    def spawn(self, work: Awaitable[object]) -> None:
        """Run beside the call; cancelled a while after its end."""
        task: asyncio.Task[None] = asyncio.create_task(_run(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _verdict(verdict: str, after_ms: int) -> dict[str, str]:
    return {"AnsweredBy": verdict, "MachineDetectionDuration": str(after_ms)}


async def _run(work: Awaitable[object]) -> None:
    await work
