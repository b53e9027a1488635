"""The emulated carrier: its REST door, its calls, and the one clock that ticks all lines."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Mapping
from dataclasses import replace

from aiohttp import web

from local.carrier.call import EmulatedCall
from local.carrier.far_end import FRAME_MS, FarEndDirectory
from local.carrier.line import Line, LineSound
from local.carrier.orders import CallOrder
from local.carrier.record import CallRecord
from local.carrier.rest import routes
from local.carrier.settings import CarrierSettings, Counted, Faults
from local.carrier.stream import MediaStream
from local.carrier.webhooks import Webhooks

log = logging.getLogger(__name__)


class Carrier:
    """`base_url` is set on the SDK: `client.api.base_url = carrier.base_url`. `violations` lists what the application
    sent over streams against the protocol; a good one leaves it empty."""

    def __init__(self, settings: CarrierSettings, far_ends: FarEndDirectory) -> None:
        self.settings = settings
        self.far_ends = far_ends
        self.webhooks = Webhooks(settings)
        self.calls: dict[str, CallRecord] = {}
        self.violations: list[str] = []
        self.lines: set[Line] = set()
        self.base_url = ""
        self._random = random.Random(settings.seed)
        self._sounds: deque[LineSound] = deque()
        self._streams: set[MediaStream] = set()
        self._runner: web.AppRunner | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._ticker: asyncio.Task[None] | None = None
        self._next_start_s = 0.0

    async def start(self) -> None:
        await self.webhooks.start()
        self._runner = web.AppRunner(routes(self), access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.settings.port).start()
        self.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        self._ticker = asyncio.create_task(self._tick())
        self._ticker.add_done_callback(_log_failure)

    async def stop(self) -> None:
        """End every call and leave no task."""
        for call in list(self.calls.values()):
            call.end("completed")
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5)
        for task in self._tasks:
            task.cancel()
        for stream in list(self._streams):
            await stream.gone()
        if self._ticker is not None:
            self._ticker.cancel()
        if self._runner is not None:
            await self._runner.cleanup()
        await self.webhooks.stop()

    def set_faults(self, faults: Faults) -> None:
        """For calls that begin from here on."""
        self.settings = replace(self.settings, faults=faults)
        self.webhooks.settings = self.settings

    def set_faults_by_number(self, faults: Mapping[str, Faults]) -> None:
        """For calls to these numbers that begin from here on."""
        self.settings = replace(self.settings, faults_by_number=faults)
        self.webhooks.settings = self.settings

    def takes(self, fault: Counted) -> bool:
        """Whether a counted fault of the REST door strikes now; it is used up thereby."""
        rest = self.settings.faults.rest
        left = fault.left(rest)
        if left > 0:
            self.set_faults(replace(self.settings.faults, rest=fault.used(rest)))
        return left > 0

    def jittered_ms(self, ms: int) -> float:
        """A delay of the timeline, a little shorter or longer."""
        jitter = self.settings.jitter
        return ms * self._random.uniform(1 - jitter, 1 + jitter)

    async def place(self, order: CallOrder) -> EmulatedCall:
        """Queue a call; it starts when the account's calls per second allow."""
        call = EmulatedCall(self, order)
        self.calls[call.sid] = call
        loop = asyncio.get_running_loop()
        starts_s = max(loop.time(), self._next_start_s)
        self._next_start_s = starts_s + 1 / self.settings.calls_per_second
        queue_ms = (starts_s - loop.time()) * 1_000
        call.queue_ms = round(queue_ms)
        if call.faults.callbacks.initiated_before_answer:
            delivery = call.progress.report("initiated")
            if delivery is not None:
                await delivery
        initiated_ms = self.jittered_ms(self.settings.initiated_after_ms)
        task = asyncio.create_task(call.run(queue_ms + initiated_ms))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(_log_failure)
        return call

    def keep_track_of(self, stream: MediaStream) -> None:
        """Break the stream's connection, if it is still there, when the carrier stops."""
        self._streams.add(stream)
        stream.when_gone(self._streams.discard)

    def keep_sound(self, sound: LineSound) -> None:
        """Of a call that is over; the oldest ones are forgotten."""
        self._sounds.append(sound)
        if len(self._sounds) > self.settings.kept_sounds_max:
            self._sounds.popleft().forget()

    async def _tick(self) -> None:
        """All lines, every 20 ms by absolute deadlines: a late tick is made up for, never skipped."""
        loop = asyncio.get_running_loop()
        due_s = loop.time()
        while True:
            due_s += FRAME_MS / 1_000
            await asyncio.sleep(max(0.0, due_s - loop.time()))
            for line in list(self.lines):
                self._tick_one(line)

    def _tick_one(self, line: Line) -> None:
        """A far end that breaks costs its own call, not the others'."""
        try:
            line.tick()
        except Exception:
            log.exception("a phone line broke; its call is ended")
            self.lines.discard(line)
            line.hung_up = True


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.error("a task of the carrier failed", exc_info=task.exception())
