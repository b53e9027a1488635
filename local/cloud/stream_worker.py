"""Carries the records of a table's stream to a function: in order, from the last checkpoint, until they are done with
or given up."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import time
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local.cloud.declarations import StreamSource
from local.cloud.delivery import Delivery, failed_items
from local.cloud.invoke import InvocationFailed
from local.cloud.ministack import REGION

log = logging.getLogger(__name__)
# Lambda polls a shard four times a second; a call on the twin waits for nothing, so that here it is a little faster.
POLL_S = 0.15
BACKOFF_S = 0.1
MAX_BACKOFF_S = 2.0
Record = Mapping[str, Any]


class StreamWorker:
    """One shard. `polls` counts reads begun, `last_empty` is the latest that found nothing with nothing in hand."""

    def __init__(
        self,
        source: StreamSource,
        arn: str,
        shard: str,
        failure_url: str | None,
        clients: tuple[Any, Any],
        delivery: Delivery,
    ) -> None:
        self.source = source
        self._arn = arn
        self._shard = shard
        self._failure_url = failure_url
        self._streams, self._sqs = clients
        self._delivery = delivery
        self._checkpoint: str | None = None
        self._previous: list[Record] = []
        self.polls = 0
        self.last_empty = 0
        self.ended = False

    async def run(self) -> None:
        """Until cancelled, or until the shard ends."""
        iterator: str | None = None
        while not self.ended:
            try:
                iterator = iterator or await self._iterator()
                iterator = await self._poll(iterator)
                self.ended = iterator is None
            except (BotoCoreError, ClientError) as error:
                # Also an iterator that grew old while a batch was tried again and again.
                log.warning("stream of %s: %s", self.source.table, type(error).__name__)
                iterator = None
            await asyncio.sleep(POLL_S)

    async def _iterator(self) -> str:
        position: dict[str, str] = {"ShardIteratorType": self.source.starting_position.value}
        if self._checkpoint is not None:
            position = {
                "ShardIteratorType": "AFTER_SEQUENCE_NUMBER",
                "SequenceNumber": self._checkpoint,
            }
        answer = await self._call(
            self._streams.get_shard_iterator, StreamArn=self._arn, ShardId=self._shard, **position
        )
        return str(answer["ShardIterator"])

    async def _poll(self, iterator: str) -> str | None:
        """Reads a batch and sees it through; gives the iterator after it."""
        self.polls += 1
        poll = self.polls
        records: list[Record] = []
        until_s = time.monotonic() + self.source.window_s
        following: str | None = iterator
        while following is not None and len(records) < self.source.batch_size:
            limit = self.source.batch_size - len(records)
            answer = await self._call(
                self._streams.get_records, ShardIterator=following, Limit=limit
            )
            records += answer["Records"]
            following = answer.get("NextShardIterator")
            if not records or time.monotonic() >= until_s:
                break
            await asyncio.sleep(POLL_S)
        if records:
            await self._see_through([stream_record(record, self._arn) for record in records])
            self._checkpoint = records[-1]["dynamodb"]["SequenceNumber"]
        elif self._previous:
            await self._repeat([])
        else:
            self.last_empty = poll
        return following

    async def _see_through(self, records: list[Record]) -> None:
        filters = self.source.filters
        wanted = [r for r in records if filters.passes(r)] if filters is not None else records
        if wanted:
            await self._deliver(wanted, crash=self._delivery.faults.crash)
            if self._delivery.faults.duplicate:
                await self._repeat(wanted)

    async def _repeat(self, records: list[Record]) -> None:
        """Deliver the batch before once more, after its successor: twice, and out of order."""
        repeated, self._previous = self._previous, records
        if repeated:
            await self._deliver(repeated, crash=False)

    async def _deliver(self, records: list[Record], *, crash: bool) -> None:
        """Try until every record is done with or given up. With `crash` the first answer is lost."""
        pending, retries = deque([records]), 0
        while pending:
            batch = pending.popleft()
            failed_at, raised = await self._attempt(batch)
            if crash:
                pending.appendleft(batch)
                crash = False
                continue
            left = batch[failed_at:]
            if failed_at:
                retries = 0
            if not left:
                continue
            if raised and self.source.bisects and len(left) > 1:
                # Halving is no retry of its own.
                middle = len(left) // 2
                pending.extendleft((left[middle:], left[:middle]))
            elif self._is_given_up(left, retries):
                await self._give_up(left, retries + 1)
                retries = 0
                continue
            else:
                pending.appendleft(left)
                retries += 1
            await asyncio.sleep(min(MAX_BACKOFF_S, BACKOFF_S * 2**retries))

    async def _attempt(self, batch: Sequence[Record]) -> tuple[int, bool]:
        """Invoke; gives the index of the first record that failed (the batch's length if none did), and whether the
        function raised."""
        try:
            answer = await self._delivery.invoker.invoke(
                self.source.function, {"Records": list(batch)}
            )
        except InvocationFailed:
            return 0, True
        if not self.source.reports_failures:
            return len(batch), False
        numbers = [str(record["dynamodb"]["SequenceNumber"]) for record in batch]
        failed = failed_items(answer, numbers)
        # Lambda takes the lowest number as checkpoint; what follows comes again, also what was done already.
        return min((numbers.index(number) for number in failed), default=len(batch)), False

    def _is_given_up(self, batch: Sequence[Record], retries: int) -> bool:
        if self.source.max_retries is not None and retries >= self.source.max_retries:
            return True
        age_s = time.time() - float(batch[0]["dynamodb"]["ApproximateCreationDateTime"])
        return self.source.max_age_s is not None and age_s > self.source.max_age_s

    async def _give_up(self, batch: Sequence[Record], attempts: int) -> None:
        """Skip the batch and say so, to the log and to the failure destination."""
        log.error(
            "%d records of the stream of %s were given up by %s",
            *(len(batch), self.source.table, self.source.function),
        )
        if self._failure_url is not None:
            body = json.dumps(self._failure_message(batch, attempts))
            await self._call(self._sqs.send_message, QueueUrl=self._failure_url, MessageBody=body)

    def _failure_message(self, batch: Sequence[Record], attempts: int) -> dict[str, Any]:
        first, last = batch[0]["dynamodb"], batch[-1]["dynamodb"]
        now = datetime.now(UTC).isoformat()
        return {
            "requestContext": {
                "functionArn": self.source.function,
                "condition": "RetryAttemptsExhausted",
                "approximateInvokeCount": attempts,
            },
            "version": "1.0",
            "timestamp": now,
            "DDBStreamBatchInfo": {
                "shardId": self._shard,
                "startSequenceNumber": first["SequenceNumber"],
                "endSequenceNumber": last["SequenceNumber"],
                "batchSize": len(batch),
                "streamArn": self._arn,
            },
        }

    async def _call(self, call: Any, **arguments: Any) -> Any:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._delivery.threads, lambda: call(**arguments))


def stream_record(record: Mapping[str, Any], arn: str) -> dict[str, Any]:
    """A record as Lambda hands it over: times as epoch seconds, binary values as base64."""
    change = dict(record["dynamodb"])
    change["ApproximateCreationDateTime"] = change["ApproximateCreationDateTime"].timestamp()
    for image in ("Keys", "NewImage", "OldImage"):
        if image in change:
            change[image] = _plain(change[image])
    converted = {
        "eventID": record["eventID"],
        "eventName": record["eventName"],
        "eventVersion": record.get("eventVersion", "1.1"),
        "eventSource": "aws:dynamodb",
        "awsRegion": record.get("awsRegion", REGION),
        "dynamodb": change,
        "eventSourceARN": arn,
    }
    identity = record.get("userIdentity")
    if identity:
        converted["userIdentity"] = {
            "type": identity["Type"],
            "principalId": identity["PrincipalId"],
        }
    return converted


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | set | tuple):
        return [_plain(item) for item in value]
    return value
