"""One call: its timeline, what runs on it, and how it ends."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING, Any

from local.carrier.address import Address
from local.carrier.call_recordings import CallRecordings
from local.carrier.detection import Detected, DetectionOrder, detect
from local.carrier.documents import Document
from local.carrier.far_end import FarEnd, Pickup, PickupPlan, RingingCall
from local.carrier.interpreter import Interpreter
from local.carrier.line import Line
from local.carrier.orders import CallOrder
from local.carrier.progress import Progress
from local.carrier.record import CallRecord
from local.carrier.recordings import RecordingSource
from local.carrier.settings import Faults
from local.carrier.wav import stereo_wav
from local.carrier.webhooks import Exchange

if TYPE_CHECKING:
    from local.carrier.carrier import Carrier

TIME_LIMIT, NO_AMD_CALLBACK, CALLBACK_REFUSED, BAD_EVENTS = 32015, 21262, 15003, 21626


class EmulatedCall(CallRecord):
    """From the queue to the end."""

    def __init__(self, carrier: Carrier, request: CallOrder) -> None:
        super().__init__(request, carrier.settings.now)
        self.carrier = carrier
        self.line: Line | None = None
        self.over = asyncio.Event()
        self.progress = Progress(self, None if request.has_bad_events else request.status_callback)
        self.taping = CallRecordings(self)
        self.interpreter: Interpreter | None = None
        self._limit_s = request.limit_s
        self._limit: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._fallback = request.address.fallback if request.address else None
        if request.has_bad_events:
            self.note(BAD_EVENTS)
        detection = request.detection
        if detection is not None and detection.is_async and detection.callback is None:
            self.note(NO_AMD_CALLBACK)

    async def run(self, queued_ms: float) -> None:
        """The whole life of the call."""
        far_end: FarEnd | None = None
        try:
            await self._sleep(queued_ms)
            if not self.is_over:
                self.progress.report("initiated")
                ringing = RingingCall(self.sid, self.request.from_number, self.request.to_number)
                far_end = self.carrier.far_ends.far_end_for(ringing)
                await self._ring(far_end)
        finally:
            await self._finish(far_end)

    def end(self, status: str) -> None:
        """Bring the call to a terminal status at once, unless it has one."""
        if not self.is_over:
            self.mark_ended(status)
            self.over.set()

    def redirect(self, source: str | Address) -> None:
        """Replace the running document."""
        if isinstance(source, Address):
            self._fallback = source.fallback
        if self.interpreter is not None:
            self.interpreter.replace(Document(source))

    def limit(self, seconds: int) -> None:
        """A new maximum duration, counted from the answer."""
        self._limit_s = seconds
        if self.answered_at is not None:
            self._arm_limit()

    def take_fallback(self) -> Address | None:
        """The fallback address, once."""
        address, self._fallback = self._fallback, None
        return address

    @property
    def faults(self) -> Faults:
        return self.carrier.settings.faults_for(self.request.to_number)

    async def _ring(self, far_end: FarEnd | None) -> None:
        await self._sleep(self.carrier.jittered_ms(self.carrier.settings.ringing_after_ms))
        if self.is_over:
            return
        if far_end is None:
            self.end("failed")
            return
        self.status = "ringing"
        self.progress.report("ringing")
        plan = far_end.pickup_plan()
        ring_ms = self.request.ring_s * 1_000
        await self._sleep(min(plan.after_ms, ring_ms))
        if self.is_over:
            return
        if plan.pickup is not Pickup.ANSWER or plan.after_ms > ring_ms:
            ends = {Pickup.BUSY: "busy", Pickup.FAILED: "failed"}
            self.end(ends.get(plan.pickup, "no-answer"))
            return
        await self._answered(far_end, plan)

    async def _answered(self, far_end: FarEnd, plan: PickupPlan) -> None:
        self.mark_answered()
        self.line = line = Line(far_end, self.faults.stream)
        self.carrier.lines.add(line)
        self._arm_limit()
        self.spawn(self._watch_far_end(line))
        document = Document(self.request.address or self.request.twiml or "")
        self.interpreter = Interpreter(self, line, document)
        if self.request.recorded is not None:
            self.taping.start(RecordingSource.CREATION, self.request.recorded)
        self.progress.report("in-progress")
        extra: Mapping[str, str] = {}
        detection = self.request.detection
        if detection is not None:
            verdict = self.spawn(self._detect(detection, plan, line))
            if not detection.is_async:
                await asyncio.wait(
                    {verdict, self.spawn(self._over())}, return_when=asyncio.FIRST_COMPLETED
                )
                extra = self.detected.form() if self.detected else {}
        await self.interpreter.run(extra)
        self.end("completed")

    async def _over(self) -> None:
        await self.over.wait()

    def _arm_limit(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
        left_s = self._limit_s - self.seconds_since_answer
        self._limit = asyncio.get_running_loop().call_later(left_s, self._at_limit)

    def _at_limit(self) -> None:
        self.note(TIME_LIMIT)
        self.end("completed")

    async def _watch_far_end(self, line: Line) -> None:
        while not line.hung_up:
            if self.over.is_set():
                return
            await asyncio.sleep(0.02)
        self.end("completed")

    async def _detect(self, order: DetectionOrder, plan: PickupPlan, line: Line) -> None:
        """Tell what picked up: to the callback, or by `detected` to whoever waits for it."""
        faults = self.faults.machine
        if faults.never:
            return
        found = await detect(order, plan, line, self.over)
        if found is None:
            return
        if faults.after_end:
            await self.over.wait()
        self.detected = Detected(faults.verdict or found.verdict, found.after_ms)
        if not order.is_async or order.callback is None:
            return
        account = self.carrier.settings.account_sid
        form = {"CallSid": self.sid, "AccountSid": account, **self.detected.form()}
        for _ in range(2 if faults.twice else 1):
            await self.deliver(order.callback, form)

    async def _finish(self, far_end: FarEnd | None) -> None:
        """Whatever happened, the call is over now."""
        # A no-op unless something on the way broke.
        self.end("failed" if self.answered_at is None else "completed")
        if self._limit is not None:
            self._limit.cancel()
        line = self.line
        if line is not None:
            self.carrier.lines.discard(line)
            for tap in list(line.taps):
                if self.interpreter is not None:
                    self.interpreter.streams.untap(tap)
        if far_end is not None:
            far_end.ended(line.at_ms if line else 0, bool(line and line.hung_up))
        self.taping.stop_all()
        if line is not None:
            await self._keep_sound(line)
        self.progress.report(self.status)
        if self.answered_at is not None:
            self.spawn(self._price())
        try:
            while self._tasks:
                await asyncio.wait(self._tasks)
        finally:
            for task in self._tasks:
                task.cancel()

    async def _keep_sound(self, line: Line) -> None:
        folder = self.carrier.settings.record_folder
        if folder is not None:
            path, sound = folder / f"{self.sid}.wav", line.sound
            wav = stereo_wav(bytes(sound.spoken), bytes(sound.heard))
            await asyncio.to_thread(path.write_bytes, wav)
        self.carrier.keep_sound(line.sound)

    async def _price(self) -> None:
        await asyncio.sleep(self.carrier.settings.price_after_ms / 1_000)
        per_minute = self.carrier.settings.price_per_minute_usd
        self.price_usd = round(math.ceil(self.duration_s / 60) * per_minute, 5)

    # --- requests to the application

    async def request_document(self, address: Address, extra: Mapping[str, str]) -> Exchange:
        """Ask for TwiML."""
        return await self._send(address, {**self.form("in-progress"), **extra})

    async def deliver(
        self, callback: Address, form: Mapping[str, str], repeats: str | None = None
    ) -> None:
        """A callback whose answer says nothing but that it came. `repeats` is the idempotency token of one that is
        delivered again."""
        exchange = await self._send(callback, form, repeats)
        if not exchange.answer.is_fine:
            self.note(CALLBACK_REFUSED, exchange.url)

    async def _send(
        self, address: Address, form: Mapping[str, str], repeats: str | None = None
    ) -> Exchange:
        exchange = await self.carrier.webhooks.send(
            address, form, self.note, self.faults.signing, repeats
        )
        self.events.append(exchange)
        return exchange

    def form(self, status: str) -> dict[str, str]:
        """The parameters that every request about a call carries."""
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

    async def _sleep(self, ms: float) -> None:
        """Sleep, unless the call ends meanwhile."""
        try:
            await asyncio.wait_for(self.over.wait(), ms / 1_000)
        except TimeoutError:
            return

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run beside the call, which is kept until everything is done."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
