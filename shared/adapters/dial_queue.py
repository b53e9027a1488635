"""The queue of calls to be dialled: fair between tenants by message group."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class DialQueue:
    def __init__(self, client: SQSClient, url: str) -> None:
        self._client = client
        self._url = url

    def send(self, call_id: str, tenant_id: str, delay_s: int = 0) -> None:
        """Ask for a call to be dialled. Asking twice does no harm: the dialer takes a call once."""
        self._client.send_message(
            QueueUrl=self._url,
            MessageBody=json.dumps({"call_id": call_id}),
            MessageGroupId=tenant_id,
            DelaySeconds=delay_s,
        )

    def postpone(self, receipt_handle: str, delay_s: int) -> None:
        """Let a message that is being handled come back after `delay_s`."""
        self._client.change_message_visibility(
            QueueUrl=self._url, ReceiptHandle=receipt_handle, VisibilityTimeout=delay_s
        )

    def backlog(self) -> int:
        """About how many messages wait to be taken for the first time or again."""
        answer = self._client.get_queue_attributes(
            QueueUrl=self._url, AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])
