"""The journal's way to the store: a process of its own that may die, a store that may be away, a parent that may too."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from media_service import journal_pipe
from media_service.journal_pipe import JournalPipe
from shared.domain.journal import JournalEntry, Moments
from tests.integration.media_service.batch_store import BatchStore, batch_store

ROOT = Path(__file__).parents[3]


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[BatchStore]:
    with batch_store() as (found, url):
        for name, value in environment(url).items():
            monkeypatch.setenv(name, value)
        yield found


def environment(url: str) -> dict[str, str]:
    return {
        "LIVE_TABLE": "live",
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "PYTHONPATH": str(ROOT),
    }


@asynccontextmanager
async def running(pipe: JournalPipe) -> AsyncIterator[JournalPipe]:
    pipe.start()
    try:
        yield pipe
    finally:
        await pipe.stop()


def entry(seq: int, call_id: str = "c1", fence: int = 1) -> JournalEntry:
    return JournalEntry(call_id, seq, fence, Moments(seq, None), "trace-1")


def seqs(store: BatchStore, call_id: str = "c1") -> list[int]:
    keys = sorted(sk for pk, sk in store.items if pk == f"CALL#{call_id}")
    return [int(sk.split("#")[1]) for sk in keys]


async def test_entries_reach_the_store_and_who_waits_for_them_is_told(store: BatchStore) -> None:
    async with running(JournalPipe()) as pipe:
        for seq in range(1, 101):
            pipe.write(entry(seq))
        await pipe.written("c1")
        assert seqs(store) == list(range(1, 101))
        assert "sofia_journal_unwritten 0" in pipe.as_metrics()
        assert store.items["CALL#c1", "J#00000001#0001"]["trace_id"] == {"S": "trace-1"}
        # Nothing more is awaited of a call that is written.
        await pipe.written("c1")


async def test_two_legs_of_one_call_are_kept_apart(store: BatchStore) -> None:
    async with running(JournalPipe()) as pipe:
        store.away = True
        pipe.write(entry(1, fence=1))
        pipe.write(entry(1, fence=2))
        first = asyncio.create_task(pipe.written("c1"))
        await asyncio.to_thread(store.wait_for_refusals, 1)
        assert not first.done()
        store.away = False
        await first
        assert sorted(sk for _pk, sk in store.items) == ["J#00000001#0001", "J#00000001#0002"]


async def test_a_store_that_is_away_loses_nothing(store: BatchStore) -> None:
    async with running(JournalPipe()) as pipe:
        store.away = True
        for seq in range(1, 61):
            pipe.write(entry(seq))
        await asyncio.to_thread(store.wait_for_refusals, 2)
        for seq in range(61, 91):
            pipe.write(entry(seq))
        store.away = False
        await pipe.written("c1")
        assert seqs(store) == list(range(1, 91))


async def test_a_writer_that_dies_is_replaced_and_what_it_had_not_written_is_written(
    store: BatchStore,
) -> None:
    async with running(JournalPipe()) as pipe:
        pipe.write(entry(1))
        await pipe.written("c1")
        store.away = True
        for seq in range(2, 41):
            pipe.write(entry(seq))
        await asyncio.to_thread(store.wait_for_refusals, 1)
        assert pipe._writer is not None
        os.kill(pipe._writer.pid, signal.SIGKILL)
        for seq in range(41, 51):
            pipe.write(entry(seq))
        store.away = False
        await asyncio.wait_for(pipe.written("c1"), 20)
        assert seqs(store) == list(range(1, 51))
        assert (pipe.writers_lost, pipe.dropped) == (1, 0)


async def test_a_writer_whose_store_stays_away_does_not_outlive_the_pipe(
    store: BatchStore, caplog: pytest.LogCaptureFixture
) -> None:
    pipe = JournalPipe()
    pipe.start()
    store.away = True
    pipe.write(entry(1))
    while pipe._writer is None:
        await asyncio.sleep(0)
    writer = pipe._writer
    await asyncio.to_thread(store.wait_for_refusals, 1)
    await pipe.stop(within_s=0.1)
    assert writer.returncode == -signal.SIGKILL
    assert "journal entries were not written" in caplog.text


async def test_without_a_writer_nobody_should_come_in(store: BatchStore) -> None:
    pipe = JournalPipe()
    assert pipe.is_behind
    async with running(pipe):
        pipe.write(entry(1))
        await pipe.written("c1")
        assert not pipe.is_behind
        store.away = True
        for seq in range(2, journal_pipe.FAR_BEHIND + 10):
            pipe.write(entry(seq))
        assert pipe.is_behind
        store.away = False
        await pipe.written("c1")
        assert not pipe.is_behind


async def test_a_writer_that_cannot_even_start_fails_no_call(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(journal_pipe, "FIRST_PAUSE_S", 0.01)
    pipe = JournalPipe(command=("/no/such/program",))
    pipe.start()
    pipe.write(entry(1))
    async with asyncio.timeout(5):
        while pipe.writers_lost < 3:
            await asyncio.sleep(0.01)
    pipe.write(entry(2))
    assert pipe.is_behind
    assert "sofia_journal_unwritten 2" in pipe.as_metrics()
    await pipe.stop(within_s=0.05)
    assert "journal entries were not written" in caplog.text


async def test_memory_for_unwritten_entries_is_bounded_and_what_is_dropped_is_counted(
    store: BatchStore, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(JournalPipe(max_kept_bytes=1_000)) as pipe:
        store.away = True
        for seq in range(1, 101):
            pipe.write(entry(seq))
        assert 0 < pipe.dropped < 100
        kept = 100 - pipe.dropped
        assert f"sofia_journal_dropped_total {pipe.dropped}" in pipe.as_metrics()
        assert "a journal entry is dropped" in caplog.text
        store.away = False
        await pipe.written("c1")
        assert seqs(store) == list(range(1, kept + 1))


async def test_an_entry_that_the_store_never_takes_holds_up_no_other_call(
    store: BatchStore,
) -> None:
    async with running(JournalPipe()) as pipe:
        store.refuses_call = "c2"
        for seq in range(1, 6):
            pipe.write(entry(seq))
            pipe.write(entry(seq, "c2"))
        await pipe.written("c1")
        await pipe.written("c2")
        assert seqs(store) == [1, 2, 3, 4, 5]
        assert seqs(store, "c2") == []


async def test_a_stop_writes_everything_and_leaves_no_process(store: BatchStore) -> None:
    pipe = JournalPipe()
    pipe.start()
    for seq in range(1, 201):
        pipe.write(entry(seq))
    await pipe.stop()
    assert len(store.items) == 200
    assert pipe._writer is None


PARENT = """
import asyncio, os, signal
from media_service.journal_pipe import JournalPipe
from shared.domain.journal import JournalEntry, Moments

async def main():
    pipe = JournalPipe()
    pipe.start()
    pipe.write(JournalEntry("c1", 1, 1, Moments(1, None), "trace-1"))
    await pipe.written("c1")
    for seq in range(2, 51):
        pipe.write(JournalEntry("c1", seq, 1, Moments(seq, None), "trace-1"))
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


def test_what_a_killed_parent_has_written_is_stored_within_300_ms(store: BatchStore) -> None:
    parent = subprocess.run([sys.executable, "-c", PARENT], check=False, timeout=60, cwd=ROOT)
    killed_s = time.monotonic()
    assert parent.returncode == -signal.SIGKILL
    assert store.wait(50)
    assert time.monotonic() - killed_s < 0.3
    assert seqs(store) == list(range(1, 51))
