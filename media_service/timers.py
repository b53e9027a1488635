"""One timer wheel for all calls: a heap of deadlines behind a single timer of the event loop."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable


class TimerWheel:
    """Named timers of many owners. Setting a name again replaces it; stopping costs nothing until it would fire."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._heap: list[tuple[float, int, object, str]] = []
        self._live: dict[tuple[int, str], tuple[int, Callable[[str], None]]] = {}
        self._count = 0
        self._handle: asyncio.TimerHandle | None = None
        self._wakes_at = float("inf")

    def set(self, owner: object, name: str, delay_s: float, fire: Callable[[str], None]) -> None:
        """Call `fire(name)` after `delay_s`."""
        self._count += 1
        due = self._loop.time() + max(0.0, delay_s)
        self._live[id(owner), name] = (self._count, fire)
        heapq.heappush(self._heap, (due, self._count, owner, name))
        self._arm()

    def stop(self, owner: object, name: str) -> None:
        self._live.pop((id(owner), name), None)

    def stop_all(self, owner: object) -> None:
        """Forget every timer of an owner that is gone."""
        for key in [key for key in self._live if key[0] == id(owner)]:
            del self._live[key]

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
        while self._heap and self._heap[0][0] <= now:
            _due, count, owner, name = heapq.heappop(self._heap)
            live = self._live.get((id(owner), name))
            if live is not None and live[0] == count:
                del self._live[id(owner), name]
                live[1](name)
        self._arm()
