"""The media service's end of the journal: entries go down a pipe to the writer process, acknowledgements come back.

The audio path never waits: a write is a line in the pipe's buffer. The writer lives in a process group of its own and
outlives a killed parent until it has written everything.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections import defaultdict

from shared.adapters.codec import to_json
from shared.domain.errors import Unavailable
from shared.domain.journal import JournalEntry

log = logging.getLogger(__name__)
# Some hundred thousand entries: a store that is away for a minute fills a fraction of it.
MAX_BUFFERED_BYTES = 64_000_000


class JournalPipe:
    """One for each media process."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._acknowledged: dict[str, int] = defaultdict(int)
        self._waiting: dict[str, list[tuple[int, asyncio.Future[None]]]] = defaultdict(list)

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "media_service.journal_writer",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        self._reader = asyncio.create_task(self._read_acknowledgements())

    def write(self, entry: JournalEntry) -> None:
        """Hand an entry over. Never waits; raises Unavailable if the writer is gone or far behind."""
        process = self._process
        if process is None or process.stdin is None or process.returncode is not None:
            raise Unavailable("the journal writer is not running")
        if process.stdin.transport.get_write_buffer_size() > MAX_BUFFERED_BYTES:
            raise Unavailable("the journal writer is too far behind")
        line = {
            "call_id": entry.call_id,
            "seq": entry.seq,
            "fence": entry.fence,
            "kind": entry.kind.value,
            "body": to_json(entry.body),
        }
        process.stdin.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")

    async def written(self, call_id: str, seq: int) -> None:
        """Returns once entry `seq` of the call, and so every one before it, is in the store."""
        if self._acknowledged[call_id] >= seq:
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[call_id].append((seq, future))
        await future

    def forget(self, call_id: str) -> None:
        """The call is over."""
        self._acknowledged.pop(call_id, None)
        self._waiting.pop(call_id, None)

    async def stop(self, within_s: float = 10.0) -> None:
        """Let the writer write what it has, then end it."""
        process = self._process
        if process is None or process.stdin is None:
            return
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), within_s)
        except TimeoutError:
            log.error("the journal writer did not finish in time")
            process.kill()
            await process.wait()
        if self._reader is not None:
            self._reader.cancel()

    async def _read_acknowledgements(self) -> None:
        process = self._process
        if process is None or process.stdout is None:
            return
        async for line in process.stdout:
            call_id, _, seq = line.decode().strip().rpartition(" ")
            self._acknowledged[call_id] = max(self._acknowledged[call_id], int(seq))
            still = []
            for wanted, future in self._waiting.pop(call_id, []):
                if wanted > self._acknowledged[call_id]:
                    still.append((wanted, future))
                elif not future.done():
                    future.set_result(None)
            if still:
                self._waiting[call_id] = still
