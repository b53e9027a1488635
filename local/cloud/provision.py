"""Makes the template's tables, queues, bus, rules, buckets and secrets in MiniStack, from the template alone.

What is there already is kept: a second run changes nothing but the values of secrets.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.exceptions import ClientError

from local.cloud.declarations import Queue, Secret, TemplateError
from local.cloud.ministack import REGION
from local.cloud.template import Template

_PASSWORD_LENGTH = 32


def provision(
    template: Template,
    secret_values: Mapping[str, Mapping[str, str]],
    *,
    endpoint_url: str | None = None,
    expire_items: bool = False,
) -> None:
    """Create everything and fill `template.physical` and `template.attributes`; `secret_values` fills secrets by
    logical id. Raises TemplateError.

    Expired items stay unless `expire_items`: the emulated tables go by the machine's clock, so that a twin whose own
    clock was moved back would lose what it has just written. The service may keep them for 48 hours as well.
    """
    _tables(template, boto3.client("dynamodb", endpoint_url=endpoint_url), expire_items)
    _queues(template, boto3.client("sqs", endpoint_url=endpoint_url))
    _bus(template, boto3.client("events", endpoint_url=endpoint_url))
    _buckets(template, boto3.client("s3", endpoint_url=endpoint_url))
    _secrets(template, boto3.client("secretsmanager", endpoint_url=endpoint_url), secret_values)


def _tables(template: Template, client: Any, expire_items: bool) -> None:
    for table in template.tables():
        try:
            made = client.create_table(TableName=table.name, **table.definition)["TableDescription"]
        except client.exceptions.ResourceInUseException:
            made = client.describe_table(TableName=table.name)["Table"]
        if table.ttl_attribute and expire_items:
            specification = {"Enabled": True, "AttributeName": table.ttl_attribute}
            try:
                client.update_time_to_live(
                    TableName=table.name, TimeToLiveSpecification=specification
                )
            except ClientError as error:
                # The service refuses to switch on what is on.
                _unless(error, "ValidationException")
        template.physical[table.logical_id] = table.name
        template.attributes[table.logical_id, "Arn"] = made["TableArn"]
        if "LatestStreamArn" in made:
            template.attributes[table.logical_id, "StreamArn"] = made["LatestStreamArn"]


def _queues(template: Template, client: Any) -> None:
    # Dead-letter queues first: the others name them.
    for queue in sorted(template.queues(), key=lambda queue: queue.dead_letters is not None):
        attributes = _queue_attributes(template, queue)
        try:
            url = client.create_queue(QueueName=queue.name, Attributes=attributes)["QueueUrl"]
        except ClientError as error:
            _unless(error, "QueueNameExists", "QueueAlreadyExists")
            url = client.get_queue_url(QueueName=queue.name)["QueueUrl"]
            client.set_queue_attributes(QueueUrl=url, Attributes=attributes)
        answer = client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        template.physical[queue.logical_id] = url
        template.attributes[queue.logical_id, "Arn"] = answer["Attributes"]["QueueArn"]
        template.attributes[queue.logical_id, "QueueName"] = queue.name
        template.attributes[queue.logical_id, "QueueUrl"] = url


def _queue_attributes(template: Template, queue: Queue) -> dict[str, str]:
    attributes = dict(queue.attributes)
    if queue.dead_letters is not None:
        arn = template.attributes.get((queue.dead_letters, "Arn"))
        if arn is None:
            raise TemplateError(f"{queue.logical_id}: its dead-letter queue has one of its own")
        policy = {"deadLetterTargetArn": arn, "maxReceiveCount": queue.max_receives}
        attributes["RedrivePolicy"] = json.dumps(policy)
    return attributes


def _bus(template: Template, client: Any) -> None:
    for bus in template.buses():
        try:
            arn = client.create_event_bus(Name=bus.name)["EventBusArn"]
        except client.exceptions.ResourceAlreadyExistsException:
            arn = client.describe_event_bus(Name=bus.name)["Arn"]
        template.attributes[bus.logical_id, "Arn"] = arn
        template.attributes[bus.logical_id, "Name"] = bus.name
    for rule in template.rules():
        made = client.put_rule(
            Name=rule.name,
            EventBusName=rule.bus,
            EventPattern=rule.pattern,
            State="ENABLED" if rule.enabled else "DISABLED",
        )
        targets = [
            {
                "Id": target.target_id,
                "Arn": template.attributes[target.queue, "Arn"],
                **target.shaping,
            }
            for target in rule.targets
        ]
        client.put_targets(Rule=rule.name, EventBusName=rule.bus, Targets=targets)
        template.physical[rule.logical_id] = rule.name
        template.attributes[rule.logical_id, "Arn"] = made["RuleArn"]


def _buckets(template: Template, client: Any) -> None:
    for bucket in template.buckets():
        try:
            client.create_bucket(
                Bucket=bucket.name, CreateBucketConfiguration={"LocationConstraint": REGION}
            )
        except ClientError as error:
            _unless(error, "BucketAlreadyOwnedByYou", "BucketAlreadyExists")
        template.physical[bucket.logical_id] = bucket.name
        template.attributes[bucket.logical_id, "Arn"] = f"arn:aws:s3:::{bucket.name}"


def _secrets(template: Template, client: Any, values: Mapping[str, Mapping[str, str]]) -> None:
    for secret in template.secrets():
        text = _secret_text(secret, values)
        try:
            arn = client.create_secret(Name=secret.name, SecretString=text)["ARN"]
        except client.exceptions.ResourceExistsException:
            arn = client.put_secret_value(SecretId=secret.name, SecretString=text)["ARN"]
        template.physical[secret.logical_id] = arn
        template.attributes[secret.logical_id, "Id"] = arn


def _secret_text(secret: Secret, values: Mapping[str, Mapping[str, str]]) -> str:
    if secret.logical_id in values:
        return json.dumps(dict(values[secret.logical_id]))
    if secret.generated is not None:
        password = secrets.token_urlsafe(_PASSWORD_LENGTH)
        if "GenerateStringKey" not in secret.generated:
            return password
        template = json.loads(secret.generated.get("SecretStringTemplate", "{}"))
        return json.dumps({**template, secret.generated["GenerateStringKey"]: password})
    if secret.text is None:
        raise TemplateError(f"the secret {secret.logical_id} has no value: give one at the start")
    return secret.text


def _unless(error: ClientError, *harmless: str) -> None:
    """Raise `error` unless it says that the thing is there already."""
    code = str(error.response["Error"]["Code"])
    if not any(name in code for name in harmless):
        raise error
