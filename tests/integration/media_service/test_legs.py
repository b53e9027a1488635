"""Legs of one call: who holds it may end it, and whoever comes next goes on where the last one was."""

from __future__ import annotations

import asyncio
import logging

import pytest

from media_service import reception
from media_service.engine.machine import Machine
from shared.domain.call import FactKind
from shared.domain.conversation import CloseCause
from shared.domain.journal import Closed
from tests.integration.media_service.house import AGENT_FIRST, ITEM, open_house, opened, texts
from tests.unit.media_service.engine.phone_line import CLIP


async def test_a_leg_whose_call_was_taken_over_neither_hangs_up_nor_closes_it() -> None:
    async with open_house() as world, world.line() as zombie:
        session = await world.model.next()
        await opened(world, zombie, session)
        async with world.line(leg=2, sid="MZ2") as line:
            await world.until(lambda: world.store.fences["c1"] == 2)
            # What is still heard on the dead leg would end the call.
            await session.hears("Deje su mensaje después de la señal", "item2")
            await zombie.until_closed()
            assert world.carrier.asked == []
            assert world.fact(FactKind.CONVERSATION_CLOSED) is None
            await line.stop()
            await line.until_closed()
        await world.until_idle()
        assert world.carrier.asked == []
        assert world.fact(FactKind.CONVERSATION_CLOSED).detail == CloseCause.CALLEE_HUNG_UP
        closings = [entry for entry in world.store.journal if isinstance(entry.body, Closed)]
        assert [entry.fence for entry in closings] == [2]


async def test_a_fault_on_a_leg_whose_call_was_taken_over_closes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(_machine: Machine, _event: object, _now_ms: float) -> None:
        raise RuntimeError("a fault of ours")

    async with open_house() as world, world.line(leg=2) as line:
        session = await world.model.next()
        await world.until(lambda: world.store.fences.get("c1") == 2)
        world.store.fences["c1"] = 3
        monkeypatch.setattr(Machine, "handle", broken)
        await session.begins()
        await line.until_closed()
        await world.until_idle()
        assert (world.carrier.asked, world.load.failed, world.load.lost) == ([], 0, 0)
        assert world.recorded(Closed) == []
        assert world.fact(FactKind.CONVERSATION_CLOSED) is None


async def test_a_renewal_that_is_refused_ends_the_leg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reception, "RENEW_EVERY_S", 0.05)
    async with open_house() as world, world.line() as line:
        await world.model.next()
        await world.until(lambda: "c1" in world.store.fences)
        world.store.fences["c1"] = 2
        await line.until_closed()
        await world.until_idle()
        assert (world.carrier.asked, world.load.lost) == ([], 0)
        assert world.fact(FactKind.CONVERSATION_CLOSED) is None
        await world.model.all_closed()


async def test_a_store_that_is_away_takes_no_call_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reception, "RENEW_EVERY_S", 0.02)
    monkeypatch.setattr(reception, "ASK_VERDICT_EVERY_S", 0.02)
    async with open_house() as world, world.line() as line:
        session = await world.model.next()
        await world.until(lambda: world.store.requests.count("renew") > 1)
        world.store.away = True
        asked = len(world.store.requests)
        await world.until(lambda: len(world.store.requests) > asked + 5)
        world.store.away = False
        await opened(world, line, session)
        await line.stop()
        await line.until_closed()
        assert world.fact(FactKind.CONVERSATION_CLOSED).detail == "callee_hung_up"


async def test_the_end_is_put_on_record_when_the_store_is_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with open_house() as world, world.line() as line:
        await opened(world, line, await world.model.next())
        world.store.away = True
        asked = world.store.requests.count("record")
        await line.stop()

        def is_asked_again() -> bool:
            return world.store.requests.count("record") > asked + 1

        await world.until(lambda: is_asked_again() or world.load.idle.is_set())
        assert is_asked_again()
        assert world.fact(FactKind.CONVERSATION_CLOSED) is None
        world.store.away = False
        await world.until_idle()
        assert world.fact(FactKind.CONVERSATION_CLOSED).detail == CloseCause.CALLEE_HUNG_UP
        assert [closed.cause for closed in world.recorded(Closed)] == [CloseCause.CALLEE_HUNG_UP]
        assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_the_line_is_closed_only_after_the_end_is_on_record() -> None:
    async with open_house() as world, world.line() as line:
        await opened(world, line, await world.model.next())
        # A line that did not wait for the store would be closed by then.
        world.store.slow_s = 0.1
        await line.stop()
        assert await line.until_closed() == 1000
        assert world.fact(FactKind.CONVERSATION_CLOSED) is not None


async def test_a_hang_up_is_tried_until_the_carrier_takes_it() -> None:
    async with open_house() as world, world.line() as line:
        world.carrier.refuses = 2
        session = await world.model.next()
        await opened(world, line, session)
        await session.hears("Deje su mensaje después de la señal", "item2")
        await asyncio.wait_for(world.carrier.hung_up.wait(), 5)
        assert world.carrier.asked == ["CA1"] * 3


async def test_where_the_first_leg_died_before_sofia_was_heard_the_second_opens_the_call() -> None:
    async with open_house() as world:
        async with world.line() as line:
            await world.model.next()
            line.socket.transport.abort()
        await world.until_idle()
        async with world.line(leg=2, sid="MZ2") as line:
            session = await world.model.next()
            await opened(world, line, session)
            # The name question belongs to the opening; a call that is taken over has none.
            await session.until("response.create")
            assert CLIP.text in texts(session)
            await line.stop()
            await line.until_closed()
        assert world.store.calls["c1"].fact(FactKind.CONVERSATION_CLOSED) is not None


async def test_a_leg_after_sofia_was_heard_goes_on_without_a_second_greeting() -> None:
    async with open_house(AGENT_FIRST) as world:
        async with world.line() as line:
            await world.model.next()
            await line.until("mark")
            line.socket.transport.abort()
        await world.until_idle()
        async with world.line(leg=2, sid="MZ2") as line:
            session = await world.model.next()
            await session.until(ITEM, 2)
            assert CLIP.text not in texts(session)
            assert line.of("media") == []
