"""Journal entries in the `live` table: one item for each entry, numbered within the call.

The sort key carries the fence as well, so that a task that lost its call cannot overwrite what its successor wrote;
readers keep the higher fence for each number (`shared.domain.journal`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from shared.adapters.clock import SystemClock
from shared.adapters.codec import CorruptRecord, to_json
from shared.adapters.live_items import KEEP
from shared.adapters.stored_items import VERSION_ATTRIBUTE, stored
from shared.domain.clock import Clock
from shared.domain.errors import Unavailable
from shared.domain.journal import BODY_TYPES, EntryKind, JournalEntry

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# What one batch write takes.
BATCH = 25


class Journal:
    """Appends and reads."""

    def __init__(self, client: DynamoDBClient, table: str, clock: Clock | None = None) -> None:
        self._client = client
        self._table = table
        self._clock = clock or SystemClock()

    def append(self, entries: Sequence[JournalEntry]) -> None:
        """Write at most `BATCH` entries of any calls; writing an entry twice leaves one. Raises Unavailable if the
        store took only some: all may be written again."""
        expires_at = self._clock.now() + KEEP
        requests: Any = [{"PutRequest": {"Item": item_of(entry, expires_at)}} for entry in entries]
        answer = self._client.batch_write_item(RequestItems={self._table: requests})
        left = answer.get("UnprocessedItems", {}).get(self._table, [])
        if left:
            raise Unavailable(f"the store left {len(left)} journal entries unwritten")

    def read(self, call_id: str) -> list[JournalEntry]:
        """All entries of a call, of every fence, in order."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :j)",
            ExpressionAttributeValues={
                ":pk": {"S": f"CALL#{call_id}"},
                ":j": {"S": "J#"},
            },
        )
        return [entry_of(item) for page in pages for item in page["Items"]]


def item_of(entry: JournalEntry, expires_at: datetime) -> dict[str, dict[str, str]]:
    """The DynamoDB item of an entry; it lives as long as the call's own."""
    return {
        "pk": {"S": f"CALL#{entry.call_id}"},
        "sk": {"S": f"J#{entry.seq:08d}#{entry.fence:04d}"},
        "kind": {"S": entry.kind.value},
        "seq": {"N": str(entry.seq)},
        "fence": {"N": str(entry.fence)},
        "body": {"S": to_json(entry.body)},
        **VERSION_ATTRIBUTE,
        "trace_id": {"S": entry.trace_id},
        "ttl": {"N": str(int(expires_at.timestamp()))},
    }


def entry_of(item: Any) -> JournalEntry:
    """The entry of a DynamoDB item; raises CorruptRecord."""
    try:
        return JournalEntry(
            call_id=item["pk"]["S"].removeprefix("CALL#"),
            seq=int(item["seq"]["N"]),
            fence=int(item["fence"]["N"]),
            body=stored(BODY_TYPES[EntryKind(item["kind"]["S"])], item),
            trace_id=item["trace_id"]["S"],
        )
    except (KeyError, ValueError) as error:
        raise CorruptRecord("a journal entry lacks an attribute or has an unknown kind") from error


def batches(entries: Iterable[JournalEntry]) -> Iterable[list[JournalEntry]]:
    """`entries` in pieces of `BATCH`."""
    batch: list[JournalEntry] = []
    for entry in entries:
        batch.append(entry)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
