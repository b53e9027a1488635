"""Carries a queue's messages to a function: one long poll at a time, several batches under way."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local.cloud.declarations import QueueSource
from local.cloud.delivery import Delivery, failed_items
from local.cloud.invoke import InvocationFailed
from local.cloud.ministack import REGION

log = logging.getLogger(__name__)
# A poll that waits is not interrupted when the worker stops: it ends by itself, and its thread with it.
WAIT_S = 1
RETRY_AFTER_S = 0.5
_MAX_RECEIVE = 10
_WINDOW_POLL_S = 0.1


class QueueWorker:
    """One source. Messages whose handling failed come back by themselves after the queue's visibility timeout."""

    def __init__(
        self, source: QueueSource, url: str, arn: str, sqs: Any, delivery: Delivery
    ) -> None:
        self.source = source
        self._url = url
        self._arn = arn
        self._sqs = sqs
        self._delivery = delivery
        self._slots = asyncio.Semaphore(source.concurrency)
        self._batches: set[asyncio.Task[None]] = set()
        self._crashed: set[str] = set()
        self._repeated: set[str] = set()

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                await self._slots.acquire()
                batch = await self._receive_batch()
                if not batch:
                    self._slots.release()
                    continue
                task = asyncio.create_task(self._process(batch))
                self._batches.add(task)
                task.add_done_callback(self._batches.discard)
        finally:
            for task in self._batches:
                task.cancel()

    async def _receive_batch(self) -> list[Mapping[str, Any]]:
        """Up to a batch of messages that the function wants. The first receive waits for messages; more receives
        follow for a batch of more than ten, and as long as the batching window lasts."""
        batch: list[Mapping[str, Any]] = []
        loop = asyncio.get_running_loop()
        found = await self._receive(min(_MAX_RECEIVE, self.source.batch_size), WAIT_S)
        until_s = loop.time() + self.source.window_s
        while True:
            batch += await self._wanted(found)
            missing = min(_MAX_RECEIVE, self.source.batch_size - len(batch))
            if not batch or not missing:
                return batch
            if len(found) < _MAX_RECEIVE:
                if loop.time() >= until_s:
                    return batch
                await asyncio.sleep(_WINDOW_POLL_S)
            found = await self._receive(missing, 0)

    async def _receive(self, count: int, wait_s: int) -> list[Mapping[str, Any]]:
        try:
            answer = await self._call(
                self._sqs.receive_message,
                QueueUrl=self._url,
                MaxNumberOfMessages=count,
                WaitTimeSeconds=wait_s,
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
        except (BotoCoreError, ClientError) as error:
            log.warning("queue %s cannot be read: %s", self.source.queue, type(error).__name__)
            await asyncio.sleep(RETRY_AFTER_S)
            return []
        messages: list[Mapping[str, Any]] = answer.get("Messages", [])
        return messages

    async def _wanted(self, messages: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Those that pass the source's filter; the others are deleted, as Lambda does."""
        filters = self.source.filters
        if filters is None or not messages:
            return messages
        passing = [m for m in messages if filters.passes(_filter_view(m))]
        await self._delete([m for m in messages if m not in passing])
        return passing

    async def _process(self, messages: Sequence[Mapping[str, Any]]) -> None:
        try:
            done = await self._invoke(messages)
            await self._delete(await self._lose_some(messages, done))
        except (BotoCoreError, ClientError) as error:
            log.warning("queue %s cannot be written: %s", self.source.queue, type(error).__name__)
        finally:
            self._slots.release()

    async def _invoke(self, messages: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """The messages that are done with."""
        event = {"Records": [sqs_record(message, self._arn) for message in messages]}
        try:
            answer = await self._delivery.invoker.invoke(self.source.function, event)
        except InvocationFailed:
            return []
        if not self.source.reports_failures:
            return list(messages)
        failed = failed_items(answer, [message["MessageId"] for message in messages])
        return [message for message in messages if message["MessageId"] not in failed]

    async def _lose_some(
        self, messages: Sequence[Mapping[str, Any]], done: list[Mapping[str, Any]]
    ) -> list[Mapping[str, Any]]:
        """Of the messages that are done, those that stay done when the faults have had their way."""
        faults = self._delivery.faults
        if faults.crash and any(m["MessageId"] not in self._crashed for m in messages):
            self._crashed |= {m["MessageId"] for m in messages}
            await self._give_back(messages)
            return []
        if faults.duplicate:
            fresh = [m for m in done if m["MessageId"] not in self._repeated]
            self._repeated |= {m["MessageId"] for m in fresh}
            await self._give_back(fresh)
            return [m for m in done if m not in fresh]
        return done

    async def _give_back(self, messages: Sequence[Mapping[str, Any]]) -> None:
        """Let the queue deliver them again: every other one at once, the rest a second later, out of order."""
        for index, message in enumerate(messages):
            await self._call(
                self._sqs.change_message_visibility,
                QueueUrl=self._url,
                ReceiptHandle=message["ReceiptHandle"],
                VisibilityTimeout=(len(self._repeated) + index) % 2,
            )

    async def _delete(self, messages: Sequence[Mapping[str, Any]]) -> None:
        for start in range(0, len(messages), _MAX_RECEIVE):
            entries = [
                {"Id": str(n), "ReceiptHandle": message["ReceiptHandle"]}
                for n, message in enumerate(messages[start : start + _MAX_RECEIVE])
            ]
            await self._call(self._sqs.delete_message_batch, QueueUrl=self._url, Entries=entries)

    async def _call(self, call: Any, **arguments: Any) -> Any:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._delivery.threads, lambda: call(**arguments))


def sqs_record(message: Mapping[str, Any], arn: str) -> dict[str, Any]:
    """A message as Lambda hands it over."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {
            name: _attribute(value) for name, value in message.get("MessageAttributes", {}).items()
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": REGION,
    }


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    kept = {"stringValue": value["StringValue"]} if "StringValue" in value else {}
    lists: dict[str, Any] = {"stringListValues": [], "binaryListValues": []}
    return {**kept, **lists, "dataType": value["DataType"]}


def _filter_view(message: Mapping[str, Any]) -> dict[str, Any]:
    """What filters look at: a body that is JSON is looked into."""
    try:
        body = json.loads(message["Body"])
    except ValueError:
        body = message["Body"]
    return {"body": body, "attributes": message.get("Attributes", {})}
