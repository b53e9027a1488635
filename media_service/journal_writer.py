"""The journal's writer: a process of its own, so that a slow store never touches a sound.

Reads entries from standard input, a JSON line each, writes them in batches across calls, and answers each on standard
output: call, fence and number. A store that is away is asked again until it is back; what stands in the
meantime stays in memory. When the input ends (the parent stopped, or was killed), what is left is written first.

    python -m media_service.journal_writer
"""

from __future__ import annotations

import json
import logging
import random
import sys
import threading
import time
from collections import deque
from typing import IO

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from media_service.log_lines import log_json_lines
from shared.adapters.codec import from_json
from shared.adapters.journal import BATCH, Journal
from shared.config import required
from shared.domain.errors import Unavailable
from shared.domain.journal import BODY_TYPES, EntryKind, JournalEntry

log = logging.getLogger(__name__)
# A turn must be safe 300 ms after its end; a batch is collected for a fraction of that.
COLLECT_S = 0.05
MAX_PAUSE_S = 2.0
# After the parent's end the store may still be away; the task's stop timeout is 120 s.
LAST_EFFORT_S = 90.0
# The store will never take this request: one of its entries is too large, say.
_REFUSED = "ValidationException"


class Writer:
    """Collects lines in one thread, writes batches in another."""

    def __init__(self, journal: Journal, output: IO[bytes]) -> None:
        self._journal = journal
        self._output = output
        self._entries: deque[JournalEntry] = deque()
        self._changed = threading.Condition()
        self._ended = False

    def read(self, lines: IO[bytes]) -> None:
        """Take entries until the input ends, or says something else: whoever writes it then starts another writer."""
        try:
            for line in lines:
                entry = parse(line)
                with self._changed:
                    self._entries.append(entry)
                    self._changed.notify()
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify()

    def write(self) -> int:
        """Write until the input has ended and nothing is left; the exit status."""
        while True:
            with self._changed:
                while not self._entries and not self._ended:
                    self._changed.wait()
                if not self._entries:
                    return 0
                if len(self._entries) < BATCH and not self._ended:
                    self._changed.wait(COLLECT_S)
                batch = [self._entries[i] for i in range(min(BATCH, len(self._entries)))]
            if not self._write_batch(batch):
                log.error("journal entries were lost", extra={"count": len(self._entries)})
                return 1
            with self._changed:
                for _ in batch:
                    self._entries.popleft()
            self._acknowledge(batch)

    def _write_batch(self, batch: list[JournalEntry]) -> bool:
        """False once the last effort failed. An entry that the store will never take must not hold up the others."""
        pause_s, gives_up_at = 0.05, float("inf")
        while True:
            try:
                self._journal.append(batch)
                return True
            except ClientError as error:
                if error.response["Error"]["Code"] == _REFUSED:
                    return self._write_singly(batch)
                self._complain(error)
            except (BotoCoreError, Unavailable) as error:
                self._complain(error)
            if self._ended:
                gives_up_at = min(gives_up_at, time.monotonic() + LAST_EFFORT_S)
                if time.monotonic() > gives_up_at:
                    return False
            time.sleep(pause_s * random.uniform(0.5, 1.0))
            pause_s = min(MAX_PAUSE_S, pause_s * 2)

    def _write_singly(self, batch: list[JournalEntry]) -> bool:
        if len(batch) == 1:
            extra = {"call_id": batch[0].call_id, "count": 1}
            log.error("the store refuses a journal entry for good", extra=extra)
            return True
        return all(self._write_batch([entry]) for entry in batch)

    @staticmethod
    def _complain(error: Exception) -> None:
        log.warning("the store does not take the journal", extra={"error": type(error).__name__})

    def _acknowledge(self, batch: list[JournalEntry]) -> None:
        lines = [f"{entry.call_id} {entry.fence} {entry.seq}\n" for entry in batch]
        try:
            self._output.write("".join(lines).encode())
            self._output.flush()
        except BrokenPipeError:
            pass  # the parent was killed; there is nobody left to tell


def parse(line: bytes) -> JournalEntry:
    """The entry in one line of input."""
    fields = json.loads(line)
    body = from_json(BODY_TYPES[EntryKind(fields["kind"])], fields["body"])
    return JournalEntry(fields["call_id"], fields["seq"], fields["fence"], body, fields["trace_id"])


def main() -> int:
    log_json_lines()
    config = Config(
        connect_timeout=1,
        read_timeout=2,
        retries={"mode": "standard", "max_attempts": 2},
    )
    journal = Journal(boto3.client("dynamodb", config=config), required("LIVE_TABLE"))
    writer = Writer(journal, sys.stdout.buffer)
    threading.Thread(target=writer.read, args=(sys.stdin.buffer,), daemon=True).start()
    return writer.write()


if __name__ == "__main__":
    sys.exit(main())
