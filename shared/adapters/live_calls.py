"""Calls that live, in DynamoDB. A call changes only by facts, by conditional write on its version.

The tenant's counter of calls under way moves in the same transaction as the `counted` flag of the call, which is what
makes it exact whatever is delivered twice (the items: `shared/adapters/live_items.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from shared.adapters.live_items import (
    SHARDS,
    StoredCall,
    active_key,
    call_item,
    counter_key,
    decision_item,
    meta_key,
    sortable,
    stored_call,
)
from shared.adapters.live_writes import FAILED, give_slot, pause, put, take_slot, write_all
from shared.adapters.stored_items import is_condition_failed, stored
from shared.domain.call import Call, Fact
from shared.domain.errors import NotFound, Refused, Unavailable
from shared.domain.gate import Decision

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TRIES = 12


class NoSlot(Refused):
    """The tenant has as many calls under way as it may."""


class Contended(Unavailable):
    """Too many change the same call at once; trying again helps."""


class _Moved(Exception):
    """The call changed between reading and writing."""


class LiveCalls:
    """Reads and changes calls. Raises Contended where a write loses against others again and again."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def create(self, call: Call, decision: Decision) -> bool:
        """Put a new call and the decision it rests on. False if this id exists already (nothing changes)."""
        item = call_item(call, 1, counted=False, put_back=0)
        writes = [
            put(self._table, item, "attribute_not_exists(pk)"),
            put(self._table, decision_item(call, decision)),
        ]
        for attempt in range(TRIES):
            codes = write_all(self._client, writes)
            if not codes:
                return True
            if codes[0] in FAILED:
                return False
            pause(attempt)
        raise Contended("the call could not be written; try again")

    def get(self, call_id: str) -> Call:
        """Raises NotFound."""
        return self.stored(call_id).call

    def get_for(self, tenant_id: str, call_id: str) -> Call:
        """The call if it is this tenant's; raises NotFound otherwise, whether it exists or not."""
        call = self.get(call_id)
        if call.tenant_id != tenant_id:
            raise NotFound("there is no such call")
        return call

    def stored(self, call_id: str) -> StoredCall:
        """The call with its state in the store; raises NotFound."""
        item = self._client.get_item(
            TableName=self._table, Key=meta_key(call_id), ConsistentRead=True
        ).get("Item")
        if item is None:
            raise NotFound("there is no such call")
        return stored_call(item)

    def record(self, call_id: str, facts: Iterable[Fact]) -> Call:
        """Put facts on record. Writes nothing if they change nothing; gives the slot back once the call is over."""
        facts = list(facts)
        return self._change(call_id, lambda _stored: facts)

    def command(
        self,
        call_id: str,
        decide: Callable[[StoredCall], Fact],
        decision: Decision | None = None,
    ) -> Call:
        """Put the fact on record that `decide` draws from the call as it is in this very write; what `decide` raises
        refuses the command. `decision` is the gate's, kept with it."""
        return self._change(call_id, lambda stored: [decide(stored)], decision)

    def begin_dial(self, call_id: str, intent: Fact, decision: Decision, limit: int) -> Call:
        """Write the dial intent and take a slot of the tenant, or nothing. Raises NoSlot, or Refused if the call may
        not be dialled (any more). A crash after this write leaves a call that is never dialled blindly again."""
        for attempt in range(TRIES):
            stored = self.stored(call_id)
            if not stored.may_dial or intent.attempt != stored.call.attempt + 1:
                raise Refused("the call is not waiting to be dialled")
            call = stored.call.with_fact(intent)
            slot = None if stored.counted else take_slot(self._table, call.tenant_id, limit)
            try:
                self._write(call, stored, True, slot, decision=decision)
            except _Moved:
                pause(attempt)
                continue
            return call
        raise Contended("the call is being changed by too many at once; try again")

    def put_back(self, call_id: str, attempt: int) -> bool:
        """The carrier did not process this attempt: the call waits again and gives its slot back. False where more
        is known of the attempt by now."""
        counter_astray = False
        for tried in range(TRIES):
            stored = self.stored(call_id)
            of_attempt = [f for f in stored.call.facts.values() if f.attempt == attempt]
            if stored.call.attempt != attempt or len(of_attempt) > 1 or stored.call.is_over:
                return False
            release = stored.counted and not counter_astray
            slot = give_slot(self._table, stored.call.tenant_id) if release else None
            try:
                self._write(stored.call, stored, False, slot, put_back=attempt)
            except _Moved:
                pause(tried)
            except NoSlot:
                counter_astray = True
            else:
                return True
        raise Contended("the call is being changed by too many at once; try again")

    def touch(self, call_id: str, now: datetime) -> None:
        """Somebody still waits for this call: it does not stand still. Changes nothing else."""
        try:
            self._client.update_item(
                TableName=self._table,
                Key=meta_key(call_id),
                UpdateExpression="SET gsi1sk = :now",
                ConditionExpression="attribute_exists(gsi1pk)",
                ExpressionAttributeValues={":now": {"S": sortable(now)}},
            )
        except ClientError as error:
            if not is_condition_failed(error):
                raise

    def decisions(self, call_id: str) -> list[Decision]:
        """What the gate said of this call, oldest first within a stage."""
        answer = self._client.query(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :decision)",
            ExpressionAttributeValues={
                ":pk": {"S": f"CALL#{call_id}"},
                ":decision": {"S": "DECISION#"},
            },
        )
        return [stored(Decision, item) for item in answer["Items"]]

    def active_calls(self, tenant_id: str) -> int:
        """The tenant's calls under way."""
        item = self._client.get_item(TableName=self._table, Key=counter_key(tenant_id)).get("Item")
        return int(item["active"]["N"]) if item and "active" in item else 0

    def standing_still(self, before: datetime, first_shard: int = 0) -> Iterator[str]:
        """Ids of the calls that are not settled and that nobody touched since `before`, the stillest of each shard
        first. The index lags a little: read the call before acting on it."""
        for offset in range(SHARDS):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                IndexName="gsi1",
                KeyConditionExpression="gsi1pk = :pk AND gsi1sk < :before",
                ExpressionAttributeValues={
                    ":pk": {"S": active_key((first_shard + offset) % SHARDS)},
                    ":before": {"S": sortable(before)},
                },
            )
            for page in pages:
                for item in page["Items"]:
                    yield item["pk"]["S"].removeprefix("CALL#")

    def of_tenant(self, tenant_id: str, limit: int, before: str | None = None) -> list[Call]:
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
        return [stored(Call, item) for item in answer["Items"]]

    def _change(
        self,
        call_id: str,
        facts_for: Callable[[StoredCall], list[Fact]],
        decision: Decision | None = None,
    ) -> Call:
        # A call must be able to end even if its tenant's counter was lost.
        counter_astray = False
        for attempt in range(TRIES):
            stored = self.stored(call_id)
            changed = stored.call.with_facts(facts_for(stored))
            if changed is stored.call:
                return changed
            release = stored.counted and changed.is_over
            counted = stored.counted and not release
            give = release and not counter_astray
            slot = give_slot(self._table, changed.tenant_id) if give else None
            try:
                self._write(changed, stored, counted, slot, stored.put_back, decision)
            except _Moved:
                pause(attempt)
            except NoSlot:
                counter_astray = True
            else:
                return changed
        raise Contended("the call is being changed by too many at once; try again")

    def _write(
        self,
        call: Call,
        stored: StoredCall,
        counted: bool,
        slot: dict[str, Any] | None = None,
        put_back: int = 0,
        decision: Decision | None = None,
    ) -> None:
        """Write `call` over `stored`, and the slot that it takes or gives. Raises _Moved, or NoSlot."""
        item = call_item(call, stored.version + 1, counted, put_back)
        version = {":version": {"N": str(stored.version)}}
        writes = [put(self._table, item, "version = :version", version)]
        if slot is not None:
            writes.append(slot)
        if decision is not None:
            writes.append(put(self._table, decision_item(call, decision)))
        codes = write_all(self._client, writes)
        if not codes:
            return
        if slot is not None and codes[0] not in FAILED and codes[1] in FAILED:
            raise NoSlot("the tenant has no free slot")
        raise _Moved
