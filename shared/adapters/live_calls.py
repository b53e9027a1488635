"""Calls that live, in DynamoDB. A call changes only by facts, by conditional write on its version.

Items: `CALL#<id>/META` (the call), `CALL#<id>/DECISION#<stage>#<at>` (the gate's decisions), `TENANT#<id>/CONC` (the
tenant's calls under way). The counter moves in the same transaction as the `counted` flag on the call, which is what
makes it exact whatever is delivered twice.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from shared.adapters.codec import from_json, to_json
from shared.domain.call import Call, Fact
from shared.domain.errors import Conflict, NotFound, Refused
from shared.domain.gate import Decision

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SCHEMA_VERSION = 1
TRIES = 12
KEEP = timedelta(days=30)
SHARDS = 8


class NoSlot(Refused):
    """The tenant has as many calls under way as it may."""


class LiveCalls:
    """Reads and changes calls."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def create(self, call: Call, decision: Decision) -> bool:
        """Put a new call and the decision it rests on. False if this id exists already (nothing changes)."""
        try:
            self._client.transact_write_items(
                TransactItems=[
                    {
                        "Put": {
                            "TableName": self._table,
                            "Item": _item(call, 1, counted=False),
                            "ConditionExpression": "attribute_not_exists(pk)",
                        }
                    },
                    {
                        "Put": {
                            "TableName": self._table,
                            "Item": _decision_item(call, decision),
                        }
                    },
                ]
            )
        except ClientError as error:
            if _failed_condition(error):
                return False
            raise
        return True

    def get(self, call_id: str) -> Call:
        """Raises NotFound."""
        return self._read(call_id)[0]

    def get_for(self, tenant_id: str, call_id: str) -> Call:
        """The call if it is this tenant's; raises NotFound otherwise, whether it exists or not."""
        call = self.get(call_id)
        if call.tenant_id != tenant_id:
            raise NotFound("there is no such call")
        return call

    def record(self, call_id: str, facts: Iterable[Fact]) -> Call:
        """Put facts on record. Writes nothing if they change nothing; gives the slot back once the call is over."""
        facts = list(facts)
        for attempt in range(TRIES):
            call, version, counted = self._read(call_id)
            changed = call.with_facts(facts)
            if changed is call:
                return call
            release = counted and changed.is_over
            try:
                self._write(changed, version, counted and not release, -1 if release else 0)
            except Conflict:
                _pause(attempt)
                continue
            return changed
        raise Conflict("the call is being changed by too many at once; try again")

    def begin_dial(self, call_id: str, intent: Fact, decision: Decision, limit: int) -> Call:
        """Write the dial intent and take a slot of the tenant, or nothing. Raises NoSlot, or Refused if the call may
        not be dialled (any more). A crash after this write leaves a call that is never dialled blindly again."""
        for attempt in range(TRIES):
            call, version, _counted = self._read(call_id)
            if not call.may_dial():
                raise Refused("the call is not waiting to be dialled")
            try:
                self._write(call.with_fact(intent), version, True, 1, limit, decision)
            except Conflict:
                _pause(attempt)
                continue
            return call.with_fact(intent)
        raise Conflict("the call is being changed by too many at once; try again")

    def decide(self, call: Call, decision: Decision) -> None:
        """Keep a decision of the gate."""
        self._client.put_item(TableName=self._table, Item=_decision_item(call, decision))

    def active_calls(self, tenant_id: str) -> int:
        """The tenant's calls under way."""
        item = self._client.get_item(TableName=self._table, Key=_counter_key(tenant_id)).get("Item")
        return int(item["active"]["N"]) if item and "active" in item else 0

    def unfinished(self, before: datetime) -> list[Call]:
        """Calls that are not settled and were last changed before `before`."""
        found: list[Call] = []
        for shard in range(SHARDS):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                IndexName="gsi1",
                KeyConditionExpression="gsi1pk = :pk AND gsi1sk < :before",
                ExpressionAttributeValues={
                    ":pk": {"S": f"ACTIVE#{shard}"},
                    ":before": {"S": _epoch(before)},
                },
            )
            found += [
                from_json(Call, item["body"]["S"]) for page in pages for item in page["Items"]
            ]
        return found

    def of_tenant(self, tenant_id: str, limit: int, before: str | None) -> list[Call]:
        """The tenant's youngest calls; `before` is the `created_at#call_id` of the last one seen."""
        values: Any = {":pk": {"S": f"TENANT#{tenant_id}"}}
        condition = "gsi2pk = :pk"
        if before is not None:
            condition += " AND gsi2sk < :before"
            values[":before"] = {"S": before}
        answer = self._client.query(
            TableName=self._table,
            IndexName="gsi2",
            KeyConditionExpression=condition,
            ExpressionAttributeValues=values,
            ScanIndexForward=False,
            Limit=limit,
        )
        return [from_json(Call, item["body"]["S"]) for item in answer["Items"]]

    def _read(self, call_id: str) -> tuple[Call, int, bool]:
        answer = self._client.get_item(
            TableName=self._table, Key=_meta_key(call_id), ConsistentRead=True
        )
        item = answer.get("Item")
        if item is None:
            raise NotFound("there is no such call")
        counted = item["counted"]["BOOL"]
        return from_json(Call, item["body"]["S"]), int(item["version"]["N"]), counted

    def _write(
        self,
        call: Call,
        version: int,
        counted: bool,
        slots: int,
        limit: int = 0,
        decision: Decision | None = None,
    ) -> None:
        writes: list[Any] = [
            {
                "Put": {
                    "TableName": self._table,
                    "Item": _item(call, version + 1, counted),
                    "ConditionExpression": "version = :version",
                    "ExpressionAttributeValues": {":version": {"N": str(version)}},
                }
            }
        ]
        if slots:
            writes.append(self._slot(call.tenant_id, slots, limit))
        if decision is not None:
            writes.append(
                {
                    "Put": {
                        "TableName": self._table,
                        "Item": _decision_item(call, decision),
                    }
                }
            )
        try:
            if len(writes) == 1:
                self._client.put_item(**writes[0]["Put"])
            else:
                self._client.transact_write_items(TransactItems=writes)
        except ClientError as error:
            reasons = error.response.get("CancellationReasons", [])
            if (
                slots > 0
                and len(reasons) > 1
                and reasons[1].get("Code") == "ConditionalCheckFailed"
            ):
                raise NoSlot("the tenant has no free slot") from error
            if _failed_condition(error):
                raise Conflict("the call changed meanwhile") from error
            raise

    def _slot(self, tenant_id: str, slots: int, limit: int) -> dict[str, Any]:
        condition = (
            "attribute_not_exists(active) OR active < :limit" if slots > 0 else "active >= :one"
        )
        values = {":slots": {"N": str(slots)}}
        values |= {":limit": {"N": str(limit)}} if slots > 0 else {":one": {"N": "1"}}
        return {
            "Update": {
                "TableName": self._table,
                "Key": _counter_key(tenant_id),
                "UpdateExpression": "ADD active :slots",
                "ConditionExpression": condition,
                "ExpressionAttributeValues": values,
            }
        }


def _item(call: Call, version: int, counted: bool) -> dict[str, Any]:
    created = call.created_at.isoformat()
    item: dict[str, Any] = {
        **_meta_key(call.call_id),
        "version": {"N": str(version)},
        "tenant_id": {"S": call.tenant_id},
        "status": {"S": call.status.value},
        "settled": {"BOOL": call.is_settled},
        "counted": {"BOOL": counted},
        "body": {"S": to_json(call)},
        "trace_id": {"S": call.trace_id},
        "v": {"N": str(SCHEMA_VERSION)},
        "gsi2pk": {"S": f"TENANT#{call.tenant_id}"},
        "gsi2sk": {"S": f"{created}#{call.call_id}"},
        "ttl": {"N": str(int((call.created_at + KEEP).timestamp()))},
    }
    if not call.is_settled:
        latest = max((fact.at for fact in call.facts.values()), default=call.created_at)
        item["gsi1pk"] = {"S": f"ACTIVE#{hash_shard(call.call_id)}"}
        item["gsi1sk"] = {"S": _epoch(latest)}
    return item


def hash_shard(call_id: str) -> int:
    """A stable shard for an id (Python's own hash differs between processes)."""
    return sum(call_id.encode()) % SHARDS


def _decision_item(call: Call, decision: Decision) -> dict[str, Any]:
    at = decision.decided_at.isoformat()
    return {
        "pk": {"S": f"CALL#{call.call_id}"},
        "sk": {"S": f"DECISION#{decision.stage.value}#{at}"},
        "body": {"S": to_json(decision)},
        "v": {"N": str(SCHEMA_VERSION)},
        "trace_id": {"S": call.trace_id},
        "ttl": {"N": str(int((call.created_at + KEEP).timestamp()))},
    }


def _meta_key(call_id: str) -> dict[str, Any]:
    return {"pk": {"S": f"CALL#{call_id}"}, "sk": {"S": "META"}}


def _counter_key(tenant_id: str) -> dict[str, Any]:
    return {"pk": {"S": f"TENANT#{tenant_id}"}, "sk": {"S": "CONC"}}


def _epoch(moment: datetime) -> str:
    return f"{int(moment.timestamp() * 1_000):015d}"


def _failed_condition(error: ClientError) -> bool:
    return error.response["Error"]["Code"] in (
        "ConditionalCheckFailedException",
        "TransactionCanceledException",
        "TransactionConflictException",
    )


def _pause(attempt: int) -> None:
    time.sleep(random.uniform(0, min(0.5, 0.01 * 2**attempt)))
