"""A MiniStack for all, and a fresh stack with functions of its own for each test."""

from __future__ import annotations

import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from local.cloud.cloud import Cloud
from local.cloud.ministack import MiniStack
from tests.integration.local.cloud.handlers import Book, open_book
from tests.integration.local.cloud.stack import SetClock, Stack

TEMPLATE = Path(__file__).with_name("template.yaml")
Start = Callable[..., Awaitable[Stack]]


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MiniStack]:
    running = MiniStack(tmp_path_factory.mktemp("ministack"))
    running.start()
    yield running
    running.stop()


@pytest.fixture
def aws(ministack: MiniStack) -> Iterator[MiniStack]:
    """MiniStack, emptied after each test: a long poll of a stack that ended would take messages of the next one."""
    yield ministack
    reset = urllib.request.Request(f"{ministack.endpoint_url}/_ministack/reset", method="POST")
    urllib.request.urlopen(reset, timeout=10).close()


@pytest.fixture
def book() -> Iterator[Book]:
    opened = open_book()
    yield opened
    opened.released.set()


@pytest.fixture
async def start(
    aws: MiniStack, book: Book, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Start]:
    """Starts a stack, with faults if a test wants them."""
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    async with AsyncExitStack() as running:

        async def begin(**faults: bool) -> Stack:
            clock = SetClock()
            cloud = Cloud(
                TEMPLATE,
                aws.endpoint_url,
                {},
                clock=clock,
                log_folder=tmp_path / "functions",
                **faults,  # type: ignore[arg-type]
            )
            await cloud.start()
            running.push_async_callback(cloud.stop)
            return Stack(cloud, clock, book)

        yield begin


@pytest.fixture
async def stack(start: Start) -> Stack:
    return await start()
