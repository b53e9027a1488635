"""The timer wheel: many owners, one timer of the loop, and nobody's failure is another's."""

from __future__ import annotations

import asyncio
import gc
import weakref

from media_service.timers import TimerWheel


class Owner:
    """Notes what fired; fails at a name that says so."""

    def __init__(self, wheel: TimerWheel) -> None:
        self.fired: list[str] = []
        self.failures: list[Exception] = []
        self.done = asyncio.Event()
        self.timers = wheel.timers(self.fire, self.failures.append)

    def fire(self, name: str) -> None:
        if name == "bad":
            raise RuntimeError("a fault of ours")
        self.fired.append(name)
        if name == "last":
            self.done.set()

    async def finished(self) -> list[str]:
        await asyncio.wait_for(self.done.wait(), 5)
        return self.fired


async def test_timers_fire_in_the_order_of_their_deadlines() -> None:
    owner = Owner(TimerWheel(asyncio.get_running_loop()))
    owner.timers.set("last", 0.03)
    owner.timers.set("second", 0.02)
    owner.timers.set("first", 0.01)
    assert await owner.finished() == ["first", "second", "last"]


async def test_setting_a_name_again_replaces_it_and_stopping_takes_it_back() -> None:
    owner = Owner(TimerWheel(asyncio.get_running_loop()))
    owner.timers.set("again", 0.001)
    owner.timers.set("again", 0.02)
    owner.timers.set("stopped", 0.001)
    owner.timers.stop("stopped")
    owner.timers.set("last", 0.04)
    assert await owner.finished() == ["again", "last"]


async def test_a_failure_is_told_to_its_owner_and_the_others_timers_fire() -> None:
    wheel = TimerWheel(asyncio.get_running_loop())
    bad, good = Owner(wheel), Owner(wheel)
    bad.timers.set("bad", 0.01)
    good.timers.set("first", 0.01)
    good.timers.set("last", 0.02)
    assert await good.finished() == ["first", "last"]
    assert [str(error) for error in bad.failures] == ["a fault of ours"]
    assert good.failures == []


async def test_a_timer_set_while_another_fires_is_not_forgotten() -> None:
    wheel = TimerWheel(asyncio.get_running_loop())
    owner = Owner(wheel)
    chain = wheel.timers(lambda _name: owner.timers.set("last", 0.001), owner.failures.append)
    chain.set("first", 0.001)
    assert await owner.finished() == ["last"]


async def test_an_owner_that_is_gone_is_not_kept_by_its_deadlines() -> None:
    wheel = TimerWheel(asyncio.get_running_loop())
    owner = Owner(wheel)
    owner.timers.set("in eight minutes", 480.0)
    owner.timers.stop_all()
    owner.timers.set("too late", 0.0)
    seen = weakref.ref(owner)
    del owner
    gc.collect()
    assert seen() is None
