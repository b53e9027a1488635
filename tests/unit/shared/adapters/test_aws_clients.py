"""A service that is busy, broken or not there is Unavailable; every other error stays what it is."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError

from shared.adapters.aws_clients import watched
from shared.domain.errors import Unavailable

ONCE = Config(retries={"total_max_attempts": 1}, connect_timeout=1)


class Raw:
    """The body of a response as botocore streams it."""

    def __init__(self, text: str) -> None:
        self._body = io.BytesIO(text.encode())

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        yield self._body.read()


def a_client() -> Any:
    """A client of a port at which nobody listens."""
    return watched(
        boto3.client(
            "dynamodb",
            region_name="eu-west-1",
            endpoint_url="http://127.0.0.1:9",
            aws_access_key_id="x",
            aws_secret_access_key="x",
            config=ONCE,
        )
    )


def answering(status: int, code: str) -> Any:
    """A client whose service answers with this error."""
    client = a_client()

    def answer(**_: object) -> AWSResponse:
        headers: Any = {"content-type": "application/x-amz-json-1.0"}
        return AWSResponse("http://x", status, headers, Raw(json.dumps({"__type": code})))

    client.meta.events.register("before-send.dynamodb", answer)
    return client


def ask(client: Any) -> None:
    client.get_item(TableName="t", Key={"pk": {"S": "a"}})


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "ThrottlingException"),
        (400, "ProvisionedThroughputExceededException"),
        (400, "RequestLimitExceeded"),
        (500, "InternalServerError"),
        (503, "ServiceUnavailable"),
    ],
)
def test_a_service_that_does_not_take_the_request_now_is_unavailable(
    status: int, code: str
) -> None:
    with pytest.raises(Unavailable):
        ask(answering(status, code))


def test_a_service_that_cannot_be_reached_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="reached"):
        ask(a_client())


@pytest.mark.parametrize("code", ["ConditionalCheckFailedException", "ValidationException"])
def test_what_is_wrong_with_the_request_stays_what_it_is(code: str) -> None:
    with pytest.raises(ClientError) as refusal:
        ask(answering(400, code))
    assert refusal.value.response["Error"]["Code"] == code
