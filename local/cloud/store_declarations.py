"""Tables, queues and secrets as the template declares them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from local.cloud.declarations import BusSource, Queue, Secret, Table, TemplateError
from local.cloud.intrinsics import named_resource

# Lambda hands an asynchronous event over at most three times, then gives it up.
ASYNC_ATTEMPTS = 3
_TABLE_ARGUMENTS = (
    "AttributeDefinitions",
    "KeySchema",
    "GlobalSecondaryIndexes",
    "LocalSecondaryIndexes",
    "BillingMode",
    "ProvisionedThroughput",
)
_QUEUE_ATTRIBUTES = (
    "VisibilityTimeout",
    "DelaySeconds",
    "MessageRetentionPeriod",
    "MaximumMessageSize",
    "ReceiveMessageWaitTimeSeconds",
    "FifoQueue",
    "ContentBasedDeduplication",
    "DeduplicationScope",
    "FifoThroughputLimit",
)


def table(name: str, properties: Mapping[str, Any]) -> Table:
    definition = {key: properties[key] for key in _TABLE_ARGUMENTS if key in properties}
    if "StreamSpecification" in properties:
        view = properties["StreamSpecification"]["StreamViewType"]
        definition["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": view}
    ttl = properties.get("TimeToLiveSpecification") or {}
    is_on = ttl.get("Enabled") in (True, "true")
    table_name = str(properties.get("TableName", f"sofia-{name}"))
    return Table(name, table_name, definition, ttl["AttributeName"] if is_on else None)


def queue(name: str, properties: Mapping[str, Any], resolve: Callable[[Any, str], Any]) -> Queue:
    redrive = properties.get("RedrivePolicy") or {}
    if redrive and not {"deadLetterTargetArn", "maxReceiveCount"} <= set(redrive):
        raise TemplateError(
            f"{name}: a RedrivePolicy needs deadLetterTargetArn and maxReceiveCount"
        )
    plain = {key: resolve(properties[key], name) for key in _QUEUE_ATTRIBUTES if key in properties}
    return Queue(
        logical_id=name,
        name=str(resolve(properties.get("QueueName", f"sofia-{name}"), name)),
        attributes={
            key: str(value).lower() if isinstance(value, bool) else str(value)
            for key, value in plain.items()
        },
        dead_letters=named_resource(redrive["deadLetterTargetArn"], name) if redrive else None,
        max_receives=int(resolve(redrive["maxReceiveCount"], name)) if redrive else 0,
    )


def queue_between(source: BusSource) -> Queue:
    """The queue between a rule and a function. The pump itself counts the attempts."""
    return Queue(source.queue, f"sofia-{source.queue}", {"VisibilityTimeout": "2"})


def secret(name: str, properties: Mapping[str, Any]) -> Secret:
    text = properties.get("SecretString")
    return Secret(
        logical_id=name,
        name=str(properties.get("Name", name)),
        text=json.dumps(text) if isinstance(text, dict) else text,
        generated=properties.get("GenerateSecretString"),
    )
