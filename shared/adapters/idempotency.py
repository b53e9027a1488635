"""Answers kept under the caller's idempotency key: the same request gives the same answer, and happens once.

Intent first: the key is claimed by a conditional write before anything happens. A claim whose owner died is free
again after a minute; the use case behind it must then be repeatable (call ids follow from the key).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from shared.adapters.stored_items import is_condition_failed
from shared.domain.clock import Clock
from shared.domain.errors import Conflict, KeyReused

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEEP = timedelta(hours=24)
CLAIM = timedelta(seconds=60)
_TRANSIENT = 500


class Replies:
    """The `idempotency` table."""

    def __init__(self, client: DynamoDBClient, table: str, clock: Clock) -> None:
        self._client = client
        self._table = table
        self._clock = clock

    def once(self, key: str, payload: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Run `work` and keep its answer, or give the kept one. Raises KeyReused where the key was used for
        another payload, Conflict where the first request is still under way."""
        kept = self._claim(key, payload)
        if kept is not None:
            return kept
        try:
            answer = work()
        except BaseException:
            self._client.delete_item(TableName=self._table, Key={"id": {"S": key}})
            raise
        if answer["statusCode"] >= _TRANSIENT:
            self._client.delete_item(TableName=self._table, Key={"id": {"S": key}})
        else:
            self._put(key, payload, json.dumps(answer))
        return answer

    def _claim(self, key: str, payload: str) -> dict[str, Any] | None:
        now = self._clock.now()
        try:
            self._client.put_item(
                TableName=self._table,
                Item=self._item(key, payload, None),
                ConditionExpression="attribute_not_exists(id) OR expiration < :now "
                "OR (attribute_not_exists(answer) AND claimed_until < :now AND payload = :payload)",
                ExpressionAttributeValues={
                    ":now": {"N": str(int(now.timestamp()))},
                    ":payload": {"S": payload},
                },
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            if not is_condition_failed(error):
                raise
            old: Any = error.response.get("Item") or self._client.get_item(
                TableName=self._table, Key={"id": {"S": key}}, ConsistentRead=True
            ).get("Item", {})
            if old and old["payload"]["S"] != payload:
                raise KeyReused from error
            if not old or "answer" not in old:
                raise Conflict("the first request with this key is still under way") from error
            reply: dict[str, Any] = json.loads(old["answer"]["S"])
            return reply
        return None

    def _put(self, key: str, payload: str, answer: str) -> None:
        self._client.put_item(TableName=self._table, Item=self._item(key, payload, answer))

    def _item(self, key: str, payload: str, answer: str | None) -> dict[str, Any]:
        now = self._clock.now()
        item: dict[str, Any] = {
            "id": {"S": key},
            "payload": {"S": payload},
            "expiration": {"N": str(int((now + KEEP).timestamp()))},
            "claimed_until": {"N": str(int((now + CLAIM).timestamp()))},
        }
        if answer is not None:
            item["answer"] = {"S": answer}
        return item
