"""Threads in which blocking adapters run, so that no sound waits for a store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class WorkerThreads:
    """A bounded number of them, shared by all calls of the process."""

    def __init__(self, count: int) -> None:
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="blocking")

    async def run(self, work: Callable[..., T], *args: object) -> T:
        """What `work(*args)` gives or raises."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *args)

    def stop(self) -> None:
        """Take no more work; what runs ends by its own timeouts."""
        self._threads.shutdown(wait=False)
