"""Makes the template's tables, queues, bus, rules, buckets and secrets in MiniStack, from the template alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import boto3

from local.cloud.template import Template


def provision(template: Template, secret_values: Mapping[str, Mapping[str, str]]) -> None:
    """Create everything; `secret_values` fills secrets by logical id. Fills `template.physical`."""
    _tables(template)
    _queues(template)
    _bus(template)
    _buckets(template)
    _secrets(template, secret_values)


def _tables(template: Template) -> None:
    client = boto3.client("dynamodb")
    for name, properties in template.resources("AWS::DynamoDB::Table").items():
        wanted = (
            "AttributeDefinitions",
            "KeySchema",
            "GlobalSecondaryIndexes",
            "BillingMode",
        )
        arguments: dict[str, Any] = {k: properties[k] for k in wanted if k in properties}
        if "StreamSpecification" in properties:
            view = properties["StreamSpecification"]["StreamViewType"]
            arguments["StreamSpecification"] = {
                "StreamEnabled": True,
                "StreamViewType": view,
            }
        made = client.create_table(TableName=f"sofia-{name}", **arguments)["TableDescription"]
        template.physical[name] = f"sofia-{name}"
        template.attributes[name, "Arn"] = made["TableArn"]
        if "LatestStreamArn" in made:
            template.attributes[name, "StreamArn"] = made["LatestStreamArn"]


def _queues(template: Template) -> None:
    client = boto3.client("sqs")
    queues = template.resources("AWS::SQS::Queue")
    # Dead-letter queues first: the others name them.
    for name, properties in sorted(queues.items(), key=lambda item: "RedrivePolicy" in item[1]):
        attributes: Any = {}
        if "VisibilityTimeout" in properties:
            attributes["VisibilityTimeout"] = str(properties["VisibilityTimeout"])
        if "RedrivePolicy" in properties:
            attributes["RedrivePolicy"] = json.dumps(template.resolve(properties["RedrivePolicy"]))
        url = client.create_queue(QueueName=f"sofia-{name}", Attributes=attributes)["QueueUrl"]
        answer = client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        template.physical[name] = url
        template.attributes[name, "Arn"] = answer["Attributes"]["QueueArn"]


def _bus(template: Template) -> None:
    client = boto3.client("events")
    for name, properties in template.resources("AWS::Events::EventBus").items():
        bus = template.resolve(properties["Name"])
        client.create_event_bus(Name=bus)
        template.physical[name] = bus
    for name, properties in template.resources("AWS::Events::Rule").items():
        bus = template.resolve(properties["EventBusName"])
        pattern = json.dumps(template.resolve(properties["EventPattern"]))
        client.put_rule(Name=name, EventBusName=bus, EventPattern=pattern)
        targets = template.resolve(properties["Targets"])
        client.put_targets(Rule=name, EventBusName=bus, Targets=targets)
        template.physical[name] = name


def _buckets(template: Template) -> None:
    client = boto3.client("s3")
    for name in template.resources("AWS::S3::Bucket"):
        bucket = f"sofia-{name.lower()}"
        client.create_bucket(
            Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        template.physical[name] = bucket


def _secrets(template: Template, values: Mapping[str, Mapping[str, str]]) -> None:
    client = boto3.client("secretsmanager")
    for name, properties in template.resources("AWS::SecretsManager::Secret").items():
        secret_id = template.resolve(properties["Name"])
        client.create_secret(Name=secret_id, SecretString=json.dumps(dict(values[name])))
        template.physical[name] = secret_id
