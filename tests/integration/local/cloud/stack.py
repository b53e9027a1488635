"""What tests do with a running stack: send and read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import boto3

from local.cloud.cloud import Cloud
from tests.integration.local.cloud.handlers import Book


class SetClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 24, 7, 59, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def monotonic_ms(self) -> float:
        return self.moment.timestamp() * 1_000


@dataclass
class Stack:
    """A running cloud, its clock, and the book that its functions write."""

    cloud: Cloud
    clock: SetClock
    book: Book

    @cached_property
    def sqs(self) -> Any:
        return boto3.client("sqs")

    @property
    def url(self) -> str:
        return self.cloud.gateway_url

    def send(self, *bodies: dict[str, Any]) -> None:
        """Messages into the work queue."""
        entries = [{"Id": str(n), "MessageBody": json.dumps(body)} for n, body in enumerate(bodies)]
        self.sqs.send_message_batch(QueueUrl=self.cloud.resources["Work"], Entries=entries)

    def in_queue(self, queue: str) -> list[Any]:
        """The bodies of a queue's messages."""
        answer = self.sqs.receive_message(
            QueueUrl=self.cloud.resources[queue], MaxNumberOfMessages=10, WaitTimeSeconds=0
        )
        return [json.loads(message["Body"]) for message in answer.get("Messages", [])]

    def put(self, key: str, version: int) -> None:
        """A change that the table's stream carries."""
        boto3.client("dynamodb").put_item(
            TableName=self.cloud.resources["Table"],
            Item={"key": {"S": key}, "version": {"N": str(version)}},
        )

    def publish(self, *events: tuple[str, str, dict[str, Any]]) -> None:
        """Source, detail type and detail of events on the bus."""
        entries = [
            {
                "EventBusName": self.cloud.resources["Bus"],
                "Source": source,
                "DetailType": kind,
                "Detail": json.dumps(detail),
            }
            for source, kind, detail in events
        ]
        boto3.client("events").put_events(Entries=entries)
