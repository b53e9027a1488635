"""Stream records that nothing helps, kept for a person: what names them, never what is in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from shared.adapters.codec import to_json

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class Unreadable:
    """The queue that also takes what the stream itself gives up."""

    def __init__(self, client: SQSClient, url: str) -> None:
        self._client = client
        self._url = url

    def put(self, record: Mapping[str, Any], error: str) -> None:
        """Keep the record's place in the stream and its item's keys; the item itself lies in the table, and the
        record in the stream for a day. Raises Unavailable or ClientError."""
        change = record["dynamodb"]
        body = {
            "reason": "unreadable",
            "error": error,
            "sequence_number": change["SequenceNumber"],
            "stream": record.get("eventSourceARN", ""),
            "keys": {name: value["S"] for name, value in change["Keys"].items()},
        }
        self._client.send_message(QueueUrl=self._url, MessageBody=to_json(body))
