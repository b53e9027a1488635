"""How busy this task is: slots taken, the lag of its event loop, and what it counted."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

SAMPLE_S = 0.1
# Lag counts when it lasts: the median of the last two seconds.
SAMPLES = 20


class Load:
    """A stream takes a slot before its upgrade is answered and gives it back when nothing of its call is left to do.

    `hindered` says that no new call may begin for another reason: the journal cannot be written, say.
    """

    def __init__(
        self, max_calls: int, max_lag_ms: float, hindered: Callable[[], bool] = lambda: False
    ) -> None:
        self._max_calls = max_calls
        self._max_lag_ms = max_lag_ms
        self._hindered = hindered
        self._lags: deque[float] = deque(maxlen=SAMPLES)
        self._calls = 0
        self.idle = asyncio.Event()
        self.idle.set()
        self.draining = False
        self.admitted = 0
        self.refused = 0
        self.lost = 0
        self.failed = 0
        self.bad_frames = 0

    @property
    def calls(self) -> int:
        """Slots taken: calls in talk, being admitted, or being closed. `idle` is set while there are none."""
        return self._calls

    def take_slot(self) -> bool:
        """False where there is none."""
        if self.free_slots == 0:
            return False
        self._calls += 1
        self.idle.clear()
        return True

    def give_slot_back(self) -> None:
        self._calls -= 1
        if not self._calls:
            self.idle.set()

    @property
    def lag_ms(self) -> float:
        """Median lag of the event loop."""
        return sorted(self._lags)[len(self._lags) // 2] if self._lags else 0.0

    @property
    def free_slots(self) -> int:
        if self.draining or self.lag_ms > self._max_lag_ms or self._hindered():
            return 0
        return max(0, self._max_calls - self.calls)

    def lagged(self, lag_ms: float) -> None:
        """One measurement of the event loop."""
        self._lags.append(max(0.0, lag_ms))

    async def watch(self) -> None:
        """Measure until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + SAMPLE_S
            await asyncio.sleep(SAMPLE_S)
            self.lagged((loop.time() - due) * 1_000)

    def as_metrics(self) -> str:
        """Prometheus text."""
        values = {
            "sofia_active_calls": self.calls,
            "sofia_free_slots": self.free_slots,
            "sofia_admitted_total": self.admitted,
            "sofia_refused_total": self.refused,
            "sofia_lost_total": self.lost,
            "sofia_failed_total": self.failed,
            "sofia_bad_frames_total": self.bad_frames,
            "sofia_loop_lag_ms": round(self.lag_ms, 3),
            "sofia_draining": int(self.draining),
        }
        return "".join(f"{name} {value}\n" for name, value in values.items())
