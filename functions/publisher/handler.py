"""From the stream of the `live` table to the bus: the one writer of events.

Each event's id follows from the call and what happened, so that a record delivered twice says the same twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from functions.operator_log import operator_log
from functions.publisher.changes import happened, images
from functions.publisher.unreadable import Unreadable
from shared.adapters import aws_clients
from shared.adapters.codec import CorruptRecord
from shared.adapters.events import Bus, call_event
from shared.config import required
from shared.domain.errors import Unavailable


@dataclass(frozen=True, slots=True)
class Publisher:
    """The one use case."""

    bus: Bus
    unreadable: Unreadable
    log: Logger

    def publish(self, record: Mapping[str, Any]) -> None:
        """Put a change's events on the bus. A record that cannot be read goes aside at once: no other try would help
        it, and the calls behind it have to go on. Raises Unavailable, ClientError or BotoCoreError."""
        try:
            old, new = images(record)
        except CorruptRecord as error:
            self.unreadable.put(record, type(error).__name__)
            self.log.error("a change cannot be read; it was set aside", extra=_keys(record))
            return
        if new is not None:
            self.bus.put([(kind, call_event(kind, new)) for kind in happened(old, new)])


@cache
def compose() -> Publisher:
    return Publisher(
        bus=Bus(aws_clients.events(), required("EVENT_BUS_NAME")),
        unreadable=Unreadable(aws_clients.sqs(), required("UNREADABLE_QUEUE_URL")),
        log=operator_log(),
    )


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Publishes record by record; the first that fails and all after it come again (order within a call). What fails
    to the end goes to the stream's dead-letter queue, which names the record."""
    publisher = compose()
    for record in event["Records"]:
        try:
            publisher.publish(record)
        except (Unavailable, ClientError, BotoCoreError) as error:
            keys = {**_keys(record), "error": type(error).__name__}
            publisher.log.error("a change was not published; it comes again", extra=keys)
            return {"batchItemFailures": [{"itemIdentifier": keys["sequence_number"]}]}
    return {"batchItemFailures": []}


def _keys(record: Mapping[str, Any]) -> dict[str, str]:
    change = record["dynamodb"]
    return {"sequence_number": change["SequenceNumber"], "item": change["Keys"]["pk"]["S"]}
