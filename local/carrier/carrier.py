"""The emulated carrier: its REST door, its calls, and the one clock that ticks all lines."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from aiohttp import web

from local.carrier.call import CallRequest, EmulatedCall
from local.carrier.far_end import FRAME_MS, FarEndDirectory
from local.carrier.line import Line
from local.carrier.rest import routes
from local.carrier.settings import CarrierSettings, Faults
from local.carrier.webhooks import Webhooks


class Carrier:
    """`base_url` is set on the SDK: `client.api.base_url = carrier.base_url`."""

    def __init__(self, settings: CarrierSettings, far_ends: FarEndDirectory) -> None:
        self.settings = settings
        self.far_ends = far_ends
        self.webhooks = Webhooks(settings)
        self.calls: dict[str, EmulatedCall] = {}
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
        for call in self.calls.values():
            call.end("completed")
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5)
        for task in self._tasks:
            task.cancel()
        if self._ticker is not None:
            self._ticker.cancel()
        if self._runner is not None:
            await self._runner.cleanup()
        await self.webhooks.stop()

    def set_faults(self, faults: Faults) -> None:
        """For calls that begin from here on."""
        self.settings = replace(self.settings, faults=faults)
        self.webhooks.settings = self.settings

    def takes_too_many(self) -> bool:
        """Whether this request is one too many."""
        left = self.settings.faults.too_many_requests
        if left > 0:
            self.set_faults(replace(self.settings.faults, too_many_requests=left - 1))
        return left > 0

    def takes_failure(self) -> bool:
        """Whether the answer to this creation is lost."""
        left = self.settings.faults.fail_after_creating
        if left > 0:
            self.set_faults(replace(self.settings.faults, fail_after_creating=left - 1))
        return left > 0

    def place(self, request: CallRequest, callbacks_broken: bool) -> EmulatedCall:
        """Queue a call; it starts when the account's calls per second allow."""
        call = EmulatedCall(self, request, callbacks_broken)
        self.calls[call.sid] = call
        loop = asyncio.get_running_loop()
        starts_s = max(loop.time(), self._next_start_s)
        self._next_start_s = starts_s + 1 / self.settings.calls_per_second
        task = asyncio.create_task(self._run(call, starts_s - loop.time()))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return call

    async def _run(self, call: EmulatedCall, after_s: float) -> None:
        await asyncio.sleep(after_s)
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
