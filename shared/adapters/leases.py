"""Who holds a call: the lease of a media task, with the fence that outdates its predecessors.

The fence is the number of the stream's leg. A token names its leg; taking the call raises the fence to it, so a token
works once, an older leg cannot come back after a newer one, and what a dead task still writes is told by its fence.
Expiry serves the reconciler alone: a newer leg takes the call whatever the old lease's time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from shared.adapters.live_items import KEEP
from shared.adapters.stored_items import SCHEMA_VERSION, is_condition_failed
from shared.domain.errors import Refused
from shared.domain.stream_token import StreamToken

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LEASE_TIME = timedelta(seconds=30)


class LeaseRefused(Refused):
    """The token was used, is of an older leg, or belongs to another phone call."""


@dataclass(frozen=True, slots=True)
class Lease:
    """`answered_at` is when the first leg began: all times of the conversation count from it."""

    call_id: str
    fence: int
    answered_at: datetime


class Leases:
    """LEASE items of the `live` table."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def take(
        self, token: StreamToken, carrier_sid: str, owner: str, now: datetime, trace_id: str = ""
    ) -> Lease:
        """Take the call for the token's leg. The carrier's call id is pinned at first use; `trace_id` is the call's.
        Raises LeaseRefused."""
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key=_key(token.call_id),
                UpdateExpression=(
                    "SET fence = :leg, attempt = :attempt, lease_owner = :owner, lease_exp = :exp, "
                    "carrier_sid = if_not_exists(carrier_sid, :sid), "
                    "answered_at = if_not_exists(answered_at, :now), "
                    "#ttl = if_not_exists(#ttl, :ttl), v = :v, trace_id = :trace"
                ),
                ExpressionAttributeNames={"#ttl": "ttl"},
                ConditionExpression=(
                    "attribute_not_exists(fence) OR "
                    "(fence < :leg AND carrier_sid = :sid AND attempt = :attempt)"
                ),
                ExpressionAttributeValues={
                    ":leg": {"N": str(token.leg)},
                    ":attempt": {"N": str(token.attempt)},
                    ":owner": {"S": owner},
                    ":exp": {"N": str(_epoch_ms(now + LEASE_TIME))},
                    ":sid": {"S": carrier_sid},
                    ":now": {"S": now.isoformat()},
                    ":ttl": {"N": str(int((now + KEEP).timestamp()))},
                    ":v": {"N": str(SCHEMA_VERSION)},
                    ":trace": {"S": trace_id},
                },
                ReturnValues="ALL_NEW",
            )
        except ClientError as error:
            if not is_condition_failed(error):
                raise
            raise LeaseRefused("the stream token was used before or is outdated") from error
        answered_at = datetime.fromisoformat(answer["Attributes"]["answered_at"]["S"])
        return Lease(token.call_id, token.leg, answered_at)

    def renew(self, lease: Lease, now: datetime) -> None:
        """Keep the lease. Raises LeaseRefused where a newer leg has taken the call."""
        try:
            self._client.update_item(
                TableName=self._table,
                Key=_key(lease.call_id),
                UpdateExpression="SET lease_exp = :exp",
                ConditionExpression="fence = :fence",
                ExpressionAttributeValues={
                    ":exp": {"N": str(_epoch_ms(now + LEASE_TIME))},
                    ":fence": {"N": str(lease.fence)},
                },
            )
        except ClientError as error:
            if not is_condition_failed(error):
                raise
            raise LeaseRefused("another task has taken the call") from error

    def expired(self, call_id: str, now: datetime) -> bool:
        """Whether nobody holds the call: no lease, or one whose time has passed."""
        item = self._client.get_item(
            TableName=self._table, Key=_key(call_id), ConsistentRead=True
        ).get("Item")
        return item is None or int(item["lease_exp"]["N"]) < _epoch_ms(now)


def _key(call_id: str) -> dict[str, dict[str, str]]:
    return {"pk": {"S": f"CALL#{call_id}"}, "sk": {"S": "LEASE"}}


def _epoch_ms(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp() * 1_000)
