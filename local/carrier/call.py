"""One call: its timeline, the document it runs, the callbacks it causes."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from local.carrier.far_end import FarEnd, Pickup, RingingCall
from local.carrier.line import Line
from local.carrier.sids import new_sid
from local.carrier.stream import MediaStream, StreamRefused

if TYPE_CHECKING:
    from local.carrier.carrier import Carrier

log = logging.getLogger(__name__)
TERMINAL = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
_SIP = {
    "completed": "200",
    "busy": "486",
    "no-answer": "487",
    "failed": "404",
    "canceled": "487",
}
_EVENT_OF = {"initiated": "initiated", "ringing": "ringing", "in-progress": "answered"}
EVENTS = frozenset({"initiated", "ringing", "answered", "completed"})
SAY_MS_PER_CHARACTER = 60


@dataclass(frozen=True, slots=True)
class CallRequest:
    """A validated request to place a call."""

    to_number: str
    from_number: str
    twiml: str | None
    url: str | None
    status_callback: str | None
    events: frozenset[str]
    ring_s: int
    limit_s: int
    machine_detection: bool
    machine_callback: str | None


@dataclass(slots=True)
class _Document:
    """The TwiML being run; replaced by an update."""

    text: str
    replaced: asyncio.Event = field(default_factory=asyncio.Event)


class EmulatedCall:
    """From the queue to the end."""

    def __init__(self, carrier: Carrier, request: CallRequest, callbacks_broken: bool) -> None:
        self._carrier = carrier
        self.request = request
        self.sid = new_sid("CA")
        self.status = "queued"
        self.created_at = datetime.now(UTC)
        self.answered_at: datetime | None = None
        self.ended_at: datetime | None = None
        self.answered_by: str | None = None
        self.notifications: list[int] = [21626] if callbacks_broken else []
        self._callbacks_broken = callbacks_broken
        self._sequence = 0
        self.line: Line | None = None
        self._over = asyncio.Event()
        self._wanted_end: str | None = None
        self._document: _Document | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_over(self) -> bool:
        return self.status in TERMINAL

    async def run(self) -> None:
        """The whole life of the call."""
        far_end: FarEnd | None = None
        try:
            await asyncio.sleep(self._carrier.settings.initiated_after_ms / 1_000)
            if self._wanted_end is None:
                await self._report("initiated")
                ringing = RingingCall(self.sid, self.request.from_number, self.request.to_number)
                far_end = self._carrier.far_ends.far_end_for(ringing)
                await self._ring(far_end)
        finally:
            await self._end(far_end)

    def end(self, status: str) -> None:
        """End the call from outside: `canceled` before the answer, `completed` any time."""
        if self._wanted_end is None:
            self._wanted_end = status
            self._over.set()

    def redirect(self, twiml: str) -> None:
        """Replace the running document."""
        document = self._document
        self._document = _Document(twiml)
        if document is not None:
            document.replaced.set()

    def note(self, code: int) -> None:
        if code not in self.notifications or code not in (31950, 31951, 31931):
            self.notifications.append(code)

    async def _ring(self, far_end: FarEnd | None) -> None:
        settings = self._carrier.settings
        await self._sleep(settings.ringing_after_ms)
        if self._wanted_end is not None:
            return
        if far_end is None:
            self._wanted_end = "failed"
            return
        self.status = "ringing"
        await self._report("ringing")
        plan = far_end.pickup_plan()
        ring_ms = self.request.ring_s * 1_000
        await self._sleep(min(plan.after_ms, ring_ms))
        if self._wanted_end is not None:
            return
        if plan.pickup is not Pickup.ANSWER or plan.after_ms > ring_ms:
            ends = {Pickup.BUSY: "busy", Pickup.FAILED: "failed"}
            self._wanted_end = ends.get(plan.pickup, "no-answer")
            return
        self.status, self.answered_at = "in-progress", datetime.now(UTC)
        self.line = Line(far_end, settings.faults)
        self._carrier.lines.add(self.line)
        self._spawn(self._report("in-progress"))
        if self.request.machine_detection and plan.verdict is not None:
            verdict = self._tell_verdict(plan.verdict.value, plan.verdict_after_ms)
            self._spawn(verdict)
        self._spawn(self._watch_far_end(self.line))
        limit = asyncio.get_running_loop().call_later(self.request.limit_s, self.end, "completed")
        try:
            await self._run_document()
        finally:
            limit.cancel()

    async def _run_document(self) -> None:
        text = self.request.twiml
        if text is None and self.request.url is not None:
            text = (await self._fetch(self.request.url, {})) or ""
        self._document = self._document or _Document(text or "")
        while self._wanted_end is None:
            document = self._document
            if document is None:
                break
            follow = await self._run_verbs(document)
            if self._document is not document:
                continue
            if follow is None:
                break
            self._document = _Document(follow)
        self._wanted_end = self._wanted_end or "completed"

    async def _run_verbs(self, document: _Document) -> str | None:
        """Run one document; gives the next one, None at the end of all."""
        try:
            root = ElementTree.fromstring(document.text)
        except ElementTree.ParseError:
            self.note(12100)
            return None
        for verb in root:
            if self._wanted_end is not None or document.replaced.is_set():
                return None
            if verb.tag == "Hangup":
                return None
            if verb.tag == "Redirect":
                return await self._fetch((verb.text or "").strip(), {})
            if verb.tag == "Connect":
                follow = await self._connect(verb, document)
                if follow is not None:
                    return follow
            elif verb.tag == "Pause":
                await self._sleep(int(verb.get("length", "1")) * 1_000)
            elif verb.tag == "Say":
                await self._sleep(len(verb.text or "") * SAY_MS_PER_CHARACTER)
            elif verb.tag == "Play":
                await self._sleep(len(verb.get("digits", "")) * 200 or 2_000)
            else:
                self.note(12200)
        return None

    async def _connect(self, verb: ElementTree.Element, document: _Document) -> str | None:
        """Run a stream until it ends; gives the document of the `action`, if there is one."""
        noun, line = verb.find("Stream"), self.line
        if noun is None or line is None:
            self.note(12200)
            return None
        stream = MediaStream(
            self._carrier.settings, new_sid("MZ"), self.sid, self.note, line.cleared
        )
        callback = noun.get("statusCallback")
        parameters = {p.get("name", ""): p.get("value", "") for p in noun.findall("Parameter")}
        try:
            await stream.open(noun.get("url", ""), parameters)
        except StreamRefused as refusal:
            self.note(refusal.code)
            self._spawn(self._stream_event(callback, stream.sid, "stream-error", str(refusal)))
        else:
            self._spawn(self._stream_event(callback, stream.sid, "stream-started"))
            line.attach(stream)
            reader = asyncio.create_task(stream.read())
            await _first(stream.closed.wait(), self._over.wait(), document.replaced.wait())
            line.detach()
            if not stream.closed.is_set():
                await stream.close()
            reader.cancel()
            self._spawn(self._stream_event(callback, stream.sid, "stream-stopped"))
        action = verb.get("action")
        if action is None or self._wanted_end is not None or document.replaced.is_set():
            return None
        return (await self._fetch(action, {"StreamSid": stream.sid})) or ""

    async def _fetch(self, url: str, extra: dict[str, str]) -> str | None:
        answer = await self._carrier.webhooks.post(url, {**self._form("in-progress"), **extra})
        if answer.status != 200:
            self.note(11200)
            return None
        return answer.body

    async def _watch_far_end(self, line: Line) -> None:
        while not line.hung_up:
            if self._over.is_set():
                return
            await asyncio.sleep(0.02)
        self.end("completed")

    async def _tell_verdict(self, verdict: str, after_ms: int) -> None:
        await asyncio.sleep(after_ms / 1_000)
        self.answered_by = verdict
        form = {
            "CallSid": self.sid,
            "AccountSid": self._carrier.settings.account_sid,
            "AnsweredBy": verdict,
            "MachineDetectionDuration": str(after_ms),
        }
        if self.request.machine_callback is not None:
            repeats = 2 if self._carrier.settings.faults.machine_verdict_twice else 1
            for _ in range(repeats):
                await self._carrier.webhooks.post(self.request.machine_callback, form)

    async def _end(self, far_end: FarEnd | None) -> None:
        """Whatever happened, the call is over now."""
        self.status = self._wanted_end or "failed"
        self.ended_at = datetime.now(UTC)
        self._over.set()
        line = self.line
        if line is not None:
            self._carrier.lines.discard(line)
            if line.stream is not None:
                await line.stream.close()
        if far_end is not None:
            far_end.ended(line.at_ms if line else 0, bool(line and line.hung_up))
        folder = self._carrier.settings.record_folder
        if line is not None and folder is not None:
            await asyncio.to_thread(line.record, folder / f"{self.sid}.wav")
        await self._report(self.status)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5)
        for task in self._tasks:
            task.cancel()

    async def _report(self, status: str) -> None:
        """One status callback."""
        callback = self.request.status_callback
        event = _EVENT_OF.get(status, "completed")
        faults = self._carrier.settings.faults
        if callback is None or event not in self.request.events or self._callbacks_broken:
            return
        if event in faults.drop_events:
            return
        form = self._form(status)
        form["SequenceNumber"] = str(self._sequence)
        form["CallbackSource"] = "call-progress-events"
        form["Timestamp"] = format_datetime(datetime.now(UTC))
        self._sequence += 1
        if status in TERMINAL:
            form["SipResponseCode"] = _SIP[status]
            form["CallDuration"] = str(self.duration_s)
            form["Duration"] = str(math.ceil(self.duration_s / 60))
            if self.answered_by is not None:
                form["AnsweredBy"] = self.answered_by
        if faults.reorder_callbacks and status not in TERMINAL:
            self._spawn(self._later(0.5, callback, form))
            return
        await self._carrier.webhooks.post(callback, form)
        if faults.duplicate_callbacks:
            await self._carrier.webhooks.post(callback, form)

    async def _later(self, after_s: float, callback: str, form: dict[str, str]) -> None:
        await asyncio.sleep(after_s)
        await self._carrier.webhooks.post(callback, form)

    @property
    def duration_s(self) -> int:
        if self.answered_at is None or self.ended_at is None:
            return 0
        return max(1, round((self.ended_at - self.answered_at).total_seconds()))

    async def _stream_event(
        self, callback: str | None, stream_sid: str, event: str, error: str = ""
    ) -> None:
        if callback is None:
            return
        form = {
            "AccountSid": self._carrier.settings.account_sid,
            "CallSid": self.sid,
            "StreamSid": stream_sid,
            "StreamName": stream_sid,
            "StreamEvent": event,
            "Timestamp": datetime.now(UTC).isoformat(),
        }
        if error:
            form["StreamError"] = error
        await self._carrier.webhooks.post(callback, form)

    def _form(self, status: str) -> dict[str, str]:
        request = self.request
        form = {
            "CallSid": self.sid,
            "AccountSid": self._carrier.settings.account_sid,
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
            await asyncio.wait_for(self._over.wait(), ms / 1_000)
        except TimeoutError:
            return

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _first(*waits: Awaitable[object]) -> None:
    """Return when the first of these is done."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
