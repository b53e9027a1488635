"""Carries queue messages, stream records and schedules to the functions, as the template says."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

import boto3
from botocore.config import Config

from local.cloud.invoke import InvocationFailed, Invoker
from local.cloud.template import QueueSource, Route, StreamSource, Template, Timer

log = logging.getLogger(__name__)
STREAM_POLL_S = 0.1
QUEUE_WAIT_S = 1
_CONFIG = Config(connect_timeout=2, read_timeout=10, max_pool_connections=30)


class Pump:
    """One worker for each source. `duplicate` delivers everything twice."""

    def __init__(
        self,
        template: Template,
        sources: Sequence[Route | QueueSource | StreamSource | Timer],
        invoker: Invoker,
        duplicate: bool = False,
    ) -> None:
        self._template = template
        self._sources = sources
        self._invoker = invoker
        self._duplicate = duplicate
        self._tasks: list[asyncio.Task[None]] = []
        self._sqs = boto3.client("sqs", config=_CONFIG)
        self._streams = boto3.client("dynamodbstreams", config=_CONFIG)

    def start(self) -> None:
        for source in self._sources:
            if isinstance(source, QueueSource):
                # The dialer alone needs several calls under way at once.
                self._tasks += [asyncio.create_task(self._queue(source)) for _ in range(3)]
            elif isinstance(source, StreamSource):
                self._tasks.append(asyncio.create_task(self._stream(source)))
            elif isinstance(source, Timer):
                self._tasks.append(asyncio.create_task(self._timer(source)))

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _queue(self, source: QueueSource) -> None:
        url = self._template.physical[source.queue]
        arn = self._template.attributes[source.queue, "Arn"]
        while True:
            answer = await asyncio.to_thread(
                self._sqs.receive_message,
                QueueUrl=url,
                MaxNumberOfMessages=min(10, source.batch_size),
                WaitTimeSeconds=QUEUE_WAIT_S,
                AttributeNames=["All"],
            )
            messages = answer.get("Messages", [])
            if not messages:
                continue
            event = {"Records": [_sqs_record(message, arn) for message in messages]}
            failed = await self._deliver(source.function, event)
            for message in messages:
                if failed is not None and message["MessageId"] not in failed:
                    await asyncio.to_thread(
                        self._sqs.delete_message,
                        QueueUrl=url,
                        ReceiptHandle=message["ReceiptHandle"],
                    )

    async def _deliver(self, function: str, event: dict[str, Any]) -> set[str] | None:
        """The ids that failed, None if the whole invocation did."""
        try:
            if self._duplicate:
                await self._invoker.invoke(function, event)
            result = await self._invoker.invoke(function, event)
        except InvocationFailed:
            return None
        failures = (result or {}).get("batchItemFailures", [])
        return {failure["itemIdentifier"] for failure in failures}

    async def _stream(self, source: StreamSource) -> None:
        arn = self._template.attributes[source.table, "StreamArn"]
        described = await asyncio.to_thread(self._streams.describe_stream, StreamArn=arn)
        shard = described["StreamDescription"]["Shards"][0]["ShardId"]
        answer: Any = await asyncio.to_thread(
            self._streams.get_shard_iterator,
            StreamArn=arn,
            ShardId=shard,
            ShardIteratorType="TRIM_HORIZON",
        )
        iterator = answer["ShardIterator"]
        while True:
            answer = await asyncio.to_thread(
                self._streams.get_records,
                ShardIterator=iterator,
                Limit=source.batch_size,
            )
            records = [r for r in answer["Records"] if r["dynamodb"]["Keys"]["sk"]["S"] == "META"]
            while records:
                failed = await self._deliver(source.function, {"Records": records})
                if failed is not None and not failed:
                    break
                numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
                first = min((numbers.index(f) for f in failed), default=0) if failed else 0
                records = records[first:]
                await asyncio.sleep(STREAM_POLL_S)
            iterator = answer["NextShardIterator"]
            await asyncio.sleep(STREAM_POLL_S)

    async def _timer(self, source: Timer) -> None:
        while True:
            await asyncio.sleep(source.rate_s)
            try:
                await self._invoker.invoke(source.function, {})
            except InvocationFailed:
                log.warning("a scheduled invocation failed")


def _sqs_record(message: Any, arn: str) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": "eu-west-1",
    }
