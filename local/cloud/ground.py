"""What a twin stands on: MiniStack and PostgreSQL, both processes of their own that take a second to come up.

Imports next to nothing, so that a command can begin it first and import the rest meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from local.cloud.ministack import MiniStack
from local.cloud.postgres import Postgres
from local.cloud.prepared_database import prepared_data
from local.cloud.state import close_folder, open_folder


class Ground:
    """Both servers, beginning to start as soon as one exists. `folder` is the running twin's own.

    Whoever makes one stops it, also where something fails before a twin stands on it.
    """

    def __init__(self) -> None:
        self.folder = open_folder()
        self.ministack = MiniStack(self.folder)
        self.postgres = Postgres(self.folder)
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="ground")
        self._starting = [self._begin(self.ministack.start), self._begin(self._start_postgres)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.stop()

    async def is_up(self) -> None:
        """Until both answer. Raises MiniStackFailed, PostgresFailed, OSError."""
        await asyncio.gather(*map(asyncio.wrap_future, self._starting))

    def stop(self) -> None:
        """Both down and their files gone, at any moment. Idempotent."""
        # A server that is only coming up has its process taken away, and its start gives up.
        self.ministack.stop()
        self.postgres.stop()
        self._threads.shutdown()
        self.ministack.stop()
        self.postgres.stop()
        close_folder(self.folder)

    def _start_postgres(self) -> None:
        self.postgres.start(prepared_data())
        self.postgres.grant_login()

    def _begin(self, start: Callable[[], None]) -> Future[None]:
        return self._threads.submit(start)
