"""The second leg of a `<Dial>`: another person is called and, if they answer, joined to the line."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from local.carrier.far_end import FarEnd, Pickup, RingingCall
from local.carrier.line import Bridge, Line
from local.carrier.record import CallRecord
from local.carrier.waiting import first_of

if TYPE_CHECKING:
    from local.carrier.carrier import Carrier

_POLL_S = 0.02


@dataclass
class SecondLeg(CallRecord):
    """Rings, talks, ends; `end` from outside hangs it up."""

    _over: asyncio.Event = field(default_factory=asyncio.Event)

    def end(self, status: str) -> None:
        if not self.is_over:
            self.mark_ended(status)
            self._over.set()

    async def run(self, carrier: Carrier, line: Line, cut: asyncio.Event) -> None:
        """Until one of the two hangs up, the limit is reached, or `cut` is set; the status says how it went."""
        ringing = RingingCall(self.sid, self.request.from_number, self.request.to_number)
        far_end = carrier.far_ends.far_end_for(ringing)
        bridge: Bridge | None = None
        try:
            if far_end is None:
                self.end("failed")
                return
            if await self._is_answered(far_end, cut):
                self.mark_answered()
                far_end.answered(0)
                bridge = line.bridge = Bridge(far_end)
                await self._talk(bridge, cut)
        finally:
            line.bridge = None
            self.end("completed" if bridge else "canceled")
            if far_end is not None:
                far_end.ended(bridge.at_ms if bridge else 0, bool(bridge and bridge.hung_up))

    async def _is_answered(self, far_end: FarEnd, cut: asyncio.Event) -> bool:
        self.status = "ringing"
        plan = far_end.pickup_plan()
        ring_ms = self.request.ring_s * 1_000
        await first_of(self._over.wait(), cut.wait(), within_s=min(plan.after_ms, ring_ms) / 1_000)
        if self._over.is_set() or cut.is_set():
            return False
        if plan.pickup is Pickup.ANSWER and plan.after_ms <= ring_ms:
            return True
        ends = {Pickup.BUSY: "busy", Pickup.FAILED: "failed"}
        self.end(ends.get(plan.pickup, "no-answer"))
        return False

    async def _talk(self, bridge: Bridge, cut: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        until_s = loop.time() + self.request.limit_s
        while not (bridge.hung_up or self._over.is_set() or cut.is_set()):
            if loop.time() >= until_s:
                return
            await asyncio.sleep(_POLL_S)
