"""Remembers calls: reads the whole call from the live table, projects it into Aurora, keeps an archive object.

Events come twice and late; each one makes the function read the call anew, and an older reading never replaces a newer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from functions.call_events import for_each_call
from shared.adapters import aws_clients
from shared.adapters.archive import Archive
from shared.adapters.call_report import cost, report_of
from shared.adapters.clock import clock_from
from shared.adapters.database import Database, connector
from shared.adapters.history import History
from shared.adapters.live_reader import LiveReader
from shared.config import environment, required


@dataclass(frozen=True, slots=True)
class Historian:
    """The one use case."""

    reader: LiveReader
    history: History
    archive: Archive

    def remember(self, call_id: str) -> None:
        """Row and object go together: the object is written while the row is locked, so of two at once the one that
        knows more has the last word on both. A crash between object and commit leaves an object ahead of its row;
        the message comes again and brings the row. Raises Unavailable, NotFound."""
        whole = self.reader.read(call_id)
        report = report_of(whole)
        with self.history.writing(whole, cost(whole), report) as is_latest:
            if is_latest:
                self.archive.put(whole.call, report)


@cache
def compose() -> Historian:
    return Historian(
        reader=LiveReader(
            aws_clients.dynamodb(), required("LIVE_TABLE"), clock_from(environment())
        ),
        history=History(Database(connector(dict(environment())))),
        archive=Archive(aws_clients.s3(), required("ARCHIVE_BUCKET")),
    )


def handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
    return for_each_call(event, context, lambda call_id: compose().remember(call_id))
