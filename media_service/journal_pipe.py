"""The media service's end of the journal: entries go down a pipe to the writer process, acknowledgements come back.

The audio path never waits: a write is a line in the pipe's buffer. An entry is kept until it is acknowledged; a writer
that died is replaced and given again what it had not written, which does no harm where it had (an entry is a put under
a key of its own). The writer lives in a process group of its own and outlives a killed parent until it has written
everything.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random
import sys
from collections import defaultdict
from collections.abc import Sequence

from shared.adapters.codec import to_json
from shared.domain.journal import JournalEntry

log = logging.getLogger(__name__)
WRITER = (sys.executable, "-m", "media_service.journal_writer")
# Some hundred thousand entries: a store that is away for a minute fills a fraction of it.
MAX_KEPT_BYTES = 64_000_000
# A healthy writer is through with so many in a second or two.
FAR_BEHIND = 4_000
FIRST_PAUSE_S, MAX_PAUSE_S = 0.1, 5.0
# A writer that lived this long was not broken from the start.
SOUND_AFTER_S = 10.0

_Key = tuple[str, int, int]


class JournalPipe:
    """One for each media process."""

    def __init__(
        self, command: Sequence[str] = WRITER, max_kept_bytes: int = MAX_KEPT_BYTES
    ) -> None:
        self._command = command
        self._max_kept_bytes = max_kept_bytes
        self._writer: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._stopping = False
        # In the order of writing, which is the order of acknowledgement.
        self._kept: dict[_Key, bytes] = {}
        self._kept_bytes = 0
        self._last_of: dict[str, _Key] = {}
        self._waiting: dict[_Key, list[asyncio.Future[None]]] = defaultdict(list)
        self.dropped = 0
        self.writers_lost = 0

    @property
    def is_behind(self) -> bool:
        """Whether no call should begin: no writer runs, or it has much to write."""
        return self._writer is None or len(self._kept) > FAR_BEHIND

    def start(self) -> None:
        """Start the writer, and keep one running."""
        self._keeper = asyncio.create_task(self._keep_a_writer())

    def write(self, entry: JournalEntry) -> None:
        """Hand an entry over. Never waits and never fails; once the memory for it is full, entries are dropped."""
        line = _line(entry)
        if self._kept_bytes + len(line) > self._max_kept_bytes:
            self.dropped += 1
            log.error("a journal entry is dropped: too many are unwritten", extra={"count": 1})
            return
        key = (entry.call_id, entry.fence, entry.seq)
        self._kept[key] = line
        self._kept_bytes += len(line)
        self._last_of[entry.call_id] = key
        self._send(line)

    async def written(self, call_id: str) -> None:
        """Returns once every entry of the call that was handed over before is in the store."""
        last = self._last_of.get(call_id)
        if last is None:
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[last].append(future)
        await future

    async def stop(self, within_s: float = 10.0) -> None:
        """Let the writer write what it has; a writer that has not done so in time is killed."""
        self._stopping = True
        if self._keeper is None:
            return
        if self._writer is not None and self._writer.stdin is not None:
            self._writer.stdin.close()
        done, _ = await asyncio.wait({self._keeper}, timeout=within_s)
        if done:
            self._keeper.result()
        else:
            await self._give_up(self._keeper)
        if self._kept:
            log.error("journal entries were not written", extra={"count": len(self._kept)})

    def as_metrics(self) -> str:
        """Prometheus text."""
        values = {
            "sofia_journal_unwritten": len(self._kept),
            "sofia_journal_dropped_total": self.dropped,
            "sofia_journal_writers_lost_total": self.writers_lost,
        }
        return "".join(f"{name} {value}\n" for name, value in values.items())

    async def _give_up(self, keeper: asyncio.Task[None]) -> None:
        # The keeper forgets its writer when it is cancelled.
        writer = self._writer
        keeper.cancel()
        await asyncio.wait({keeper})
        if writer is not None:
            with contextlib.suppress(ProcessLookupError):
                writer.kill()
            await writer.wait()

    async def _keep_a_writer(self) -> None:
        loop = asyncio.get_running_loop()
        pause_s = FIRST_PAUSE_S
        while True:
            began_s = loop.time()
            try:
                await self._run_a_writer()
            except OSError as error:
                log.error("no journal writer", extra={"error": type(error).__name__})
            if self._stopping and not self._kept:
                return
            self.writers_lost += 1
            log.error("the journal writer ended", extra={"count": len(self._kept)})
            if loop.time() - began_s > SOUND_AFTER_S:
                pause_s = FIRST_PAUSE_S
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))
            pause_s = min(MAX_PAUSE_S, 2 * pause_s)

    async def _run_a_writer(self) -> None:
        """One writer's life. It gets first what its predecessor left."""
        writer = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        self._writer = writer
        for line in self._kept.values():
            self._send(line)
        if self._stopping and writer.stdin is not None:
            writer.stdin.close()
        try:
            assert writer.stdout is not None
            async for line in writer.stdout:
                self._acknowledged(line)
            await writer.wait()
        finally:
            self._writer = None

    def _send(self, line: bytes) -> None:
        stdin = self._writer.stdin if self._writer is not None else None
        # What a pipe that is closing does not take goes to the next writer.
        if stdin is not None and not stdin.is_closing():
            stdin.write(line)

    def _acknowledged(self, line: bytes) -> None:
        call_id, fence, seq = line.decode().split()
        key = (call_id, int(fence), int(seq))
        self._kept_bytes -= len(self._kept.pop(key, b""))
        if self._last_of.get(call_id) == key:
            del self._last_of[call_id]
        for future in self._waiting.pop(key, []):
            if not future.done():
                future.set_result(None)


def _line(entry: JournalEntry) -> bytes:
    fields = {
        "call_id": entry.call_id,
        "seq": entry.seq,
        "fence": entry.fence,
        "trace_id": entry.trace_id,
        "kind": entry.kind.value,
        "body": to_json(entry.body),
    }
    return json.dumps(fields, ensure_ascii=False).encode() + b"\n"
