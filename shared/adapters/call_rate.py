"""How many calls a tenant may create in a minute: a token bucket in one item of the `live` table.

The bucket is kept as the moment at which it would be full again (the generic cell rate algorithm), so that one
conditional update takes a token and no clock has to fill it. It holds a minute's worth: a burst is fine, a flood
is not.
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from shared.adapters.stored_items import is_condition_failed
from shared.domain.errors import TooManyCalls

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MINUTE_MS = 60_000
TRIES = 5


class CallRate:
    """RATE items of the `live` table."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def take(self, tenant_id: str, per_minute: int, now: datetime) -> None:
        """Take one token. Raises TooManyCalls."""
        now_ms, interval_ms = int(now.timestamp() * 1_000), math.ceil(MINUTE_MS / per_minute)
        latest_ms = now_ms + MINUTE_MS - interval_ms
        for _ in range(TRIES):
            # Partly empty: later by one token. Full (or never used): counted from now.
            full_at_ms = self._add(tenant_id, interval_ms, now_ms, latest_ms)
            if full_at_ms is None:
                return
            if full_at_ms > latest_ms:
                raise TooManyCalls(max(1, math.ceil((full_at_ms - latest_ms) / 1_000)))
            if self._start(tenant_id, now_ms + interval_ms, now_ms):
                return
        raise TooManyCalls(1)

    def _add(self, tenant_id: str, interval_ms: int, now_ms: int, latest_ms: int) -> int | None:
        """None if a token was taken, else when the bucket will be full (0: it is)."""
        values = {":now": now_ms, ":latest": latest_ms, ":interval": interval_ms}
        try:
            self._update(
                tenant_id,
                "SET full_at_ms = full_at_ms + :interval",
                "full_at_ms > :now AND full_at_ms <= :latest",
                values,
            )
        except ClientError as error:
            old = _refused(error)
            return int(old["full_at_ms"]["N"]) if "full_at_ms" in old else 0
        return None

    def _start(self, tenant_id: str, full_at_ms: int, now_ms: int) -> bool:
        """Take the first token of a full bucket; False if somebody else just did."""
        try:
            self._update(
                tenant_id,
                "SET full_at_ms = :full",
                "attribute_not_exists(full_at_ms) OR full_at_ms <= :now",
                {":full": full_at_ms, ":now": now_ms},
            )
        except ClientError as error:
            _refused(error)
            return False
        return True

    def _update(
        self, tenant_id: str, expression: str, condition: str, values: dict[str, int]
    ) -> None:
        self._client.update_item(
            TableName=self._table,
            Key={"pk": {"S": f"TENANT#{tenant_id}"}, "sk": {"S": "RATE"}},
            UpdateExpression=expression,
            ConditionExpression=condition,
            ExpressionAttributeValues={k: {"N": str(v)} for k, v in values.items()},
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )


def _refused(error: ClientError) -> dict[str, Any]:
    """The item that a condition refused; any other error goes on."""
    if not is_condition_failed(error):
        raise error
    old: Any = error.response.get("Item", {})
    return dict(old)
