"""boto3 clients with the timeouts and retries that a call can live with.

A service that throttles, fails or is not reached after these retries is Unavailable, whoever asked for what; every
other error comes as botocore raises it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import boto3
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import ConnectionError as NotConnected
from botocore.exceptions import HTTPClientError

from shared.domain.errors import Unavailable

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
C = TypeVar("C", bound=BaseClient)
_SERVER_FAULT = 500
_THROTTLED = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestLimitExceeded",
        "ProvisionedThroughputExceededException",
        "TooManyRequestsException",
        "SlowDown",
    }
)


def dynamodb() -> DynamoDBClient:
    return watched(boto3.client("dynamodb", config=_CONFIG))


def sqs() -> SQSClient:
    return watched(boto3.client("sqs", config=_CONFIG))


def events() -> EventBridgeClient:
    return watched(boto3.client("events", config=_CONFIG))


def s3() -> S3Client:
    # Path style: the twin's bucket has no host name of its own.
    config = _CONFIG.merge(Config(s3={"addressing_style": "path"}))
    return watched(boto3.client("s3", config=config))


def secrets_manager() -> SecretsManagerClient:
    return watched(boto3.client("secretsmanager", config=_CONFIG))


def watched(client: C) -> C:
    """The client, which from here on raises Unavailable where its service is away or busy."""
    client.meta.events.register("after-call", _check_answer)
    client.meta.events.register("after-call-error", _check_exception)
    return client


def _check_answer(http_response: Any, parsed: Any, **_: Any) -> None:
    code = parsed.get("Error", {}).get("Code", "")
    if code in _THROTTLED or http_response.status_code >= _SERVER_FAULT:
        raise Unavailable(f"a service of AWS does not take this request now ({code})")


def _check_exception(exception: Exception, **_: Any) -> None:
    if isinstance(exception, HTTPClientError | NotConnected):
        raise Unavailable("a service of AWS cannot be reached") from exception
