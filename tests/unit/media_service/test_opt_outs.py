"""Objections go on record whatever becomes of whoever asked for it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from media_service import patience
from media_service.opt_outs import CallOptOuts
from media_service.worker_threads import WorkerThreads
from shared.adapters.clock import SystemClock
from shared.domain.conversation import Suppression
from shared.domain.errors import Unavailable
from tests.sample_calls import a_call


class Register:
    """`add` fails so many times, or waits until it may go on."""

    def __init__(self) -> None:
        self.kept: list[Suppression] = []
        self.fails = 0
        self.asked = threading.Event()
        self.may_answer = threading.Event()
        self.may_answer.set()

    def number_key(self, number: str) -> str:
        return f"hash of {number[-2:]}"

    def reference(self, _tenant_id: str, _number: str) -> str:
        return "OP-4F7K2"

    def add(self, suppression: Suppression) -> Suppression:
        self.asked.set()
        self.may_answer.wait(5)
        if self.fails:
            self.fails -= 1
            raise Unavailable("the store is away")
        self.kept.append(suppression)
        return suppression


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "FIRST_PAUSE_S", 0.001)


@pytest.fixture
def register() -> Register:
    return Register()


@pytest.fixture
def opt_outs(register: Register) -> Iterator[CallOptOuts]:
    threads = WorkerThreads(2)
    yield CallOptOuts(a_call(), register, SystemClock(), threads)  # type: ignore[arg-type]
    threads.stop()


async def test_an_objection_is_kept_with_its_words_and_the_call(
    opt_outs: CallOptOuts, register: Register
) -> None:
    assert await opt_outs.register("tenant", "no me llamen más") == "OP-4F7K2"
    (kept,) = register.kept
    assert (kept.call_id, kept.scope, kept.quote) == ("c1", "tenant", "no me llamen más")


async def test_a_store_that_is_away_is_asked_again(
    opt_outs: CallOptOuts, register: Register
) -> None:
    register.fails = 5
    assert await opt_outs.register("tenant", "no") == "OP-4F7K2"
    assert len(register.kept) == 1


async def test_who_stops_waiting_does_not_stop_the_registration(
    opt_outs: CallOptOuts, register: Register
) -> None:
    register.may_answer.clear()
    waiting = asyncio.create_task(opt_outs.register("tenant", "no"))
    await asyncio.to_thread(register.asked.wait, 5)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert register.kept == []
    register.may_answer.set()
    await opt_outs.settled(5.0)
    assert len(register.kept) == 1


async def test_what_the_store_does_not_take_in_time_is_an_error_in_the_log(
    opt_outs: CallOptOuts, register: Register, caplog: pytest.LogCaptureFixture
) -> None:
    register.fails = 1_000_000
    waiting = asyncio.create_task(opt_outs.register("tenant", "no me llamen más"))
    await asyncio.to_thread(register.asked.wait, 5)
    await opt_outs.settled(0.02)
    (error,) = [r for r in caplog.records if r.levelname == "ERROR"]
    assert (error.message, error.call_id) == ("an objection could not be put on record", "c1")
    assert "no me llamen" not in caplog.text
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert register.kept == []


async def test_nothing_to_settle_takes_no_time(
    opt_outs: CallOptOuts, caplog: pytest.LogCaptureFixture
) -> None:
    async def is_settled_at_once() -> bool:
        settling = asyncio.create_task(opt_outs.settled(60.0))
        # One turn of the loop: whoever waits for anything is not through by then.
        await asyncio.sleep(0)
        return settling.done() and settling.exception() is None

    assert await is_settled_at_once()
    await opt_outs.register("tenant", "no")
    assert await is_settled_at_once()
    assert not [r for r in caplog.records if r.levelname == "ERROR"]
