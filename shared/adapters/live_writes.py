"""Conditional writes to the `live` table: built, sent, and what became of them.

DynamoDB answers a transaction that lost with one reason for each of its writes. `FAILED` reasons are conditions that do
not hold; `PASSING` ones (another transaction was at the same item, a partition was busy) are cured by another try.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from shared.adapters.live_items import counter_key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Each by its name alone and as a reason within a transaction. (Throttled as a whole, a request raises Unavailable.)
FAILED = ("ConditionalCheckFailedException", "ConditionalCheckFailed")
PASSING = (
    "TransactionConflictException",
    "TransactionConflict",
    "ThrottlingError",
    "ProvisionedThroughputExceeded",
)
_NOTHING = "None"


def put(
    table: str, item: dict[str, Any], condition: str | None = None, values: Any = None
) -> dict[str, Any]:
    """A put as it stands in a transaction."""
    write: dict[str, Any] = {"TableName": table, "Item": item}
    if condition is not None:
        write["ConditionExpression"] = condition
    if values is not None:
        write["ExpressionAttributeValues"] = values
    return {"Put": write}


def take_slot(table: str, tenant_id: str, limit: int) -> dict[str, Any]:
    """Counts one more call of the tenant if it has fewer than `limit`."""
    condition = "attribute_not_exists(active) OR active < :limit"
    return _count(table, tenant_id, 1, condition, {":limit": {"N": str(limit)}})


def give_slot(table: str, tenant_id: str) -> dict[str, Any]:
    """Counts one call of the tenant less."""
    return _count(table, tenant_id, -1, "active >= :one", {":one": {"N": "1"}})


def write_all(client: DynamoDBClient, writes: list[Any]) -> list[str]:
    """Write all (puts, and updates behind them) or nothing. Empty if written, else the reason of each write. Raises
    Unavailable, or what neither another try nor another condition cures."""
    try:
        if len(writes) == 1:
            client.put_item(**writes[0]["Put"])
        else:
            # botocore adds a token, so that its own retries after a lost answer apply once.
            client.transact_write_items(TransactItems=writes)
    except ClientError as error:
        reasons: Any = error.response.get("CancellationReasons", [])
        codes = [str(reason.get("Code", _NOTHING)) for reason in reasons]
        codes = codes or [error.response["Error"]["Code"]]
        if {*FAILED, *PASSING, _NOTHING}.issuperset(codes):
            return codes
        raise
    return []


def pause(attempt: int) -> None:
    """Full jitter between two tries."""
    time.sleep(random.uniform(0, min(0.5, 0.01 * 2**attempt)))


def _count(
    table: str, tenant_id: str, slots: int, condition: str, values: dict[str, Any]
) -> dict[str, Any]:
    return {
        "Update": {
            "TableName": table,
            "Key": counter_key(tenant_id),
            "UpdateExpression": "ADD active :slots",
            "ConditionExpression": condition,
            "ExpressionAttributeValues": {":slots": {"N": str(slots)}, **values},
        }
    }
