"""The emulated carrier: its REST door, its calls, and the one clock that ticks all lines."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from aiohttp import web

from local.carrier.call import EmulatedCall
from local.carrier.far_end import FRAME_MS, FarEndDirectory
from local.carrier.line import Line
from local.carrier.orders import CallRequest
from local.carrier.record import CallRecord
from local.carrier.rest import routes
from local.carrier.settings import CarrierSettings, Counted, Faults
from local.carrier.stream import MediaStream
from local.carrier.webhooks import Webhooks


class Carrier:
    """`base_url` is set on the SDK: `client.api.base_url = carrier.base_url`. `violations` lists what the application
    sent over streams against the protocol; a good one leaves it empty."""

    def __init__(self, settings: CarrierSettings, far_ends: FarEndDirectory) -> None:
        self.settings = settings
        self.far_ends = far_ends
        self.webhooks = Webhooks(settings)
        self.calls: dict[str, CallRecord] = {}
        self.violations: list[str] = []
        self.open_streams: set[MediaStream] = set()
        self.lines: set[Line] = set()
        self.base_url = ""
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

    async def stop(self) -> None:
        """End every call and leave no task."""
        for call in list(self.calls.values()):
            call.end("completed")
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5)
        for task in self._tasks:
            task.cancel()
        for stream in self.open_streams:
            stream.abort()
        if self._ticker is not None:
            self._ticker.cancel()
        if self._runner is not None:
            await self._runner.cleanup()
        await self.webhooks.stop()

    def set_faults(self, faults: Faults) -> None:
        """For calls that begin from here on."""
        self.settings = replace(self.settings, faults=faults)
        self.webhooks.settings = self.settings

    def takes(self, fault: Counted) -> bool:
        """Whether a counted fault of the REST door strikes now; it is used up thereby."""
        rest = self.settings.faults.rest
        left = fault.left(rest)
        if left > 0:
            self.set_faults(replace(self.settings.faults, rest=fault.used(rest)))
        return left > 0

    async def place(self, request: CallRequest, callbacks_broken: bool) -> EmulatedCall:
        """Queue a call; it starts when the account's calls per second allow."""
        call = EmulatedCall(self, request, callbacks_broken)
        self.calls[call.sid] = call
        loop = asyncio.get_running_loop()
        starts_s = max(loop.time(), self._next_start_s)
        self._next_start_s = starts_s + 1 / self.settings.calls_per_second
        wait_s = starts_s - loop.time()
        call.queue_ms = round(wait_s * 1_000)
        if self.settings.faults.callbacks.initiated_before_answer:
            await call.report("initiated")
        task = asyncio.create_task(self._run(call, wait_s))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return call

    async def _run(self, call: EmulatedCall, after_s: float) -> None:
        await asyncio.sleep(after_s + self.settings.initiated_after_ms / 1_000)
        await call.run()

    async def _tick(self) -> None:
        """All lines, every 20 ms by absolute deadlines: a late tick is made up for, never skipped."""
        loop = asyncio.get_running_loop()
        due_s = loop.time()
        while True:
            due_s += FRAME_MS / 1_000
            delay_s = due_s - loop.time()
            if delay_s > 0:
                await asyncio.sleep(delay_s)
            else:
                await asyncio.sleep(0)
            for line in list(self.lines):
                line.tick()
