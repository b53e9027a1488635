"""One timer wheel for all calls: a heap of deadlines behind a single timer of the event loop.

A callback that fails ends its own call and no other: its owner is told, and the wheel turns on.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable


class Timers:
    """The named timers of one owner. Setting a name again replaces it; stopping costs nothing until it would fire."""

    __slots__ = ("_wheel", "failed", "fire", "live")

    def __init__(
        self,
        wheel: TimerWheel,
        fire: Callable[[str], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self._wheel = wheel
        self.fire: Callable[[str], None] | None = fire
        self.failed: Callable[[Exception], None] | None = failed
        self.live: dict[str, int] = {}

    def set(self, name: str, delay_s: float) -> None:
        """Call `fire(name)` after `delay_s`; nothing once they were all stopped."""
        if self.fire is not None:
            self.live[name] = self._wheel.push(self, name, delay_s)

    def stop(self, name: str) -> None:
        self.live.pop(name, None)

    def stop_all(self) -> None:
        """The owner is gone: nothing of it is kept, though its deadlines may lie in the wheel for minutes."""
        self.live.clear()
        self.fire = self.failed = None


class TimerWheel:
    """The timers of many owners."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._heap: list[tuple[float, int, Timers, str]] = []
        self._count = 0
        self._handle: asyncio.TimerHandle | None = None
        self._wakes_at = float("inf")

    def timers(self, fire: Callable[[str], None], failed: Callable[[Exception], None]) -> Timers:
        """Timers for a new owner; `failed` is told what `fire` raised."""
        return Timers(self, fire, failed)

    def push(self, timers: Timers, name: str, delay_s: float) -> int:
        """A deadline; gives the number by which it is known to be the latest of its name."""
        self._count += 1
        due = self._loop.time() + max(0.0, delay_s)
        heapq.heappush(self._heap, (due, self._count, timers, name))
        self._arm()
        return self._count

    def _arm(self) -> None:
        if not self._heap or self._heap[0][0] >= self._wakes_at:
            return
        if self._handle is not None:
            self._handle.cancel()
        self._wakes_at = self._heap[0][0]
        self._handle = self._loop.call_at(self._wakes_at, self._turn)

    def _turn(self) -> None:
        self._handle, self._wakes_at = None, float("inf")
        now = self._loop.time()
        try:
            while self._heap and self._heap[0][0] <= now:
                _due, count, timers, name = heapq.heappop(self._heap)
                if timers.live.get(name) == count:
                    del timers.live[name]
                    _fire(timers, name)
        finally:
            self._arm()


def _fire(timers: Timers, name: str) -> None:
    fire, failed = timers.fire, timers.failed
    if fire is None or failed is None:
        return
    try:
        fire(name)
    except Exception as error:
        # Whatever it was, it is this owner's end and nobody else's.
        failed(error)
