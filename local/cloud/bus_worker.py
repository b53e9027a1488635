"""Carries events of a rule to its function: the bus delivers them to a queue of the twin, from which they are invoked
one by one, as Lambda handles asynchronous events."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from local.cloud.declarations import BusSource, QueueSource
from local.cloud.delivery import Delivery
from local.cloud.invoke import InvocationFailed
from local.cloud.queue_worker import QueueWorker
from local.cloud.store_declarations import ASYNC_ATTEMPTS


class BusWorker(QueueWorker):
    """One rule's function. An event that fails three times is given up and stays counted as failed."""

    def __init__(self, source: BusSource, url: str, arn: str, sqs: Any, delivery: Delivery) -> None:
        super().__init__(
            QueueSource(source.function, source.queue, batch_size=1), url, arn, sqs, delivery
        )

    async def _invoke(self, messages: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        (message,) = messages
        try:
            await self._delivery.invoker.invoke(self.source.function, json.loads(message["Body"]))
        except InvocationFailed:
            attempts = int(message["Attributes"]["ApproximateReceiveCount"])
            return [message] if attempts >= ASYNC_ATTEMPTS else []
        return [message]
