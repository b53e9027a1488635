"""Analyses in the `live` table: one for each call, written once, gone with the call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from shared.adapters.codec import to_json
from shared.adapters.live_items import KEEP
from shared.adapters.stored_items import VERSION_ATTRIBUTE, is_condition_failed
from shared.domain.call import Call
from shared.domain.conversation import Usage
from shared.domain.outcome import Analysis

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class Analyses:
    """Writes; `live_reader` reads."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def put(self, call: Call, analysis: Analysis, usage: Usage) -> bool:
        """False if there is one already; the first one stays."""
        item: dict[str, Any] = {
            "pk": {"S": f"CALL#{call.call_id}"},
            "sk": {"S": "ANALYSIS"},
            "body": {"S": to_json(analysis)},
            "usage": {"S": to_json(usage)},
            **VERSION_ATTRIBUTE,
            "trace_id": {"S": call.trace_id},
            "ttl": {"N": str(int((call.created_at + KEEP).timestamp()))},
        }
        try:
            self._client.put_item(
                TableName=self._table,
                Item=item,
                ConditionExpression="attribute_not_exists(pk)",
            )
        except ClientError as error:
            if not is_condition_failed(error):
                raise
            return False
        return True
