"""From the stream of the `live` table to the bus: the one writer of events.

Each event's id follows from the call and what happened, so that a record delivered twice says the same twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from functions.operator_log import operator_log
from functions.publisher.changes import happened, images
from shared.adapters import aws_clients
from shared.adapters.events import Bus, call_event
from shared.config import required
from shared.domain.errors import SofiaError


@cache
def compose() -> tuple[Bus, Logger]:
    return Bus(aws_clients.events(), required("EVENT_BUS_NAME")), operator_log()


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Publishes record by record; the first that fails and all after it come again (order within a call). What fails
    to the end goes to the stream's dead-letter queue, which names the record."""
    bus, log = compose()
    for record in event["Records"]:
        try:
            old, new = images(record)
            if new is not None:
                bus.put([(kind, call_event(kind, new)) for kind in happened(old, new)])
        except (SofiaError, ClientError, BotoCoreError) as error:
            number = record["dynamodb"]["SequenceNumber"]
            keys = {"sequence_number": number, "error": type(error).__name__}
            log.error("a change was not published", extra=keys)
            return {"batchItemFailures": [{"itemIdentifier": number}]}
    return {"batchItemFailures": []}
