"""boto3 clients with the timeouts and retries that a call can live with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

_CONFIG = Config(
    connect_timeout=1,
    read_timeout=3,
    retries={"mode": "standard", "max_attempts": 3},
    max_pool_connections=50,
    tcp_keepalive=True,
)


def dynamodb() -> DynamoDBClient:
    return boto3.client("dynamodb", config=_CONFIG)


def sqs() -> SQSClient:
    return boto3.client("sqs", config=_CONFIG)


def events() -> EventBridgeClient:
    return boto3.client("events", config=_CONFIG)


def s3() -> S3Client:
    # Path style: the twin's bucket has no host name of its own.
    config = _CONFIG.merge(Config(s3={"addressing_style": "path"}))
    return boto3.client("s3", config=config)


def secrets_manager() -> SecretsManagerClient:
    return boto3.client("secretsmanager", config=_CONFIG)
