"""A whole call as it lies in the `live` table: facts, conversation, decisions, analysis; and a tenant's calls."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from shared.adapters.clock import SystemClock
from shared.adapters.journal import entry_of
from shared.adapters.live_items import StoredCall, stored_call
from shared.adapters.stored_items import stored
from shared.domain.call import Call
from shared.domain.clock import Clock
from shared.domain.conversation import Conversation, FollowUp, Usage
from shared.domain.errors import NotFound
from shared.domain.gate import Decision
from shared.domain.journal import JournalEntry, conversation
from shared.domain.listing import CallQuery, CallRow
from shared.domain.outcome import Analysis
from shared.domain.promises import promises_after

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Below and above every time that is written as ISO 8601.
_BEGINNING_OF_TIME, _END_OF_TIME = " ", "~"


@dataclass(frozen=True, slots=True)
class WholeCall:
    """Everything on record. `known` counts the changes of the call, its journal entries, decisions and the analysis;
    nothing is ever taken back, so of two readings of a call the one that knows more is the later one."""

    call: Call
    conversation: Conversation
    decisions: tuple[Decision, ...]
    analysis: Analysis | None
    analysis_usage: Usage | None
    known: int = 0

    @property
    def promises(self) -> tuple[FollowUp, ...]:
        """What was promised, as it stands now."""
        return promises_after(self.conversation.follow_ups, self.analysis)


@dataclass(slots=True)
class _Found:
    """The items of one call, as the pages bring them."""

    call: StoredCall | None = None
    entries: list[JournalEntry] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    analysis: Analysis | None = None
    analysis_usage: Usage | None = None

    def add(self, item: Any) -> None:
        match item["sk"]["S"].partition("#")[0]:
            case "META":
                self.call = stored_call(item)
            case "J":
                self.entries.append(entry_of(item))
            case "DECISION":
                self.decisions.append(stored(Decision, item))
            case "ANALYSIS":
                self.analysis = stored(Analysis, item)
                self.analysis_usage = stored(Usage, item, "usage")
            case _:
                # Leases and tokens are the media service's.
                pass

    def whole(self) -> WholeCall:
        if self.call is None:
            raise NotFound("there is no such call")
        known = self.call.version + len(self.entries) + len(self.decisions)
        return WholeCall(
            call=self.call.call,
            conversation=conversation(self.entries),
            decisions=tuple(self.decisions),
            analysis=self.analysis,
            analysis_usage=self.analysis_usage,
            known=known + (self.analysis is not None),
        )


class LiveReader:
    """Reads the `live` table; writes nothing. A call whose time has run out is not there, though the store takes up
    to two days to delete its items, one after the other."""

    def __init__(self, client: DynamoDBClient, table: str, clock: Clock | None = None) -> None:
        self._client = client
        self._table = table
        self._clock = clock or SystemClock()

    def read(self, call_id: str) -> WholeCall:
        """One query, consistent. Raises NotFound, CorruptRecord."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"CALL#{call_id}"}},
        )
        found, now_s = _Found(), self._clock.now().timestamp()
        for page in pages:
            for item in page["Items"]:
                if item["sk"]["S"] != "META" or _lives(item, now_s):
                    found.add(item)
        return found.whole()

    def rows(self, tenant_id: str, query: CallQuery) -> list[CallRow]:
        """The tenant's youngest calls that `query` asks for. Outcomes are not known here: a query for one finds
        nothing."""
        request = _list_request(self._table, tenant_id, query)
        if query.outcome is not None or request is None:
            return []
        rows, now_s = list[CallRow](), self._clock.now().timestamp()
        for page in self._client.get_paginator("query").paginate(**request):
            for item in page["Items"]:
                row = _row(stored(Call, item))
                # The key condition takes its upper bound in.
                if _lives(item, now_s) and (query.before is None or row.place < query.before):
                    rows.append(row)
            if len(rows) >= query.limit:
                break
        return rows[: query.limit]


def _list_request(table: str, tenant_id: str, query: CallQuery) -> dict[str, Any] | None:
    """None where nothing can lie between the bounds, which the store would take for a mistake. Keys of the index are
    `created_at#call_id`; times are written in UTC, so that text order is time order."""
    lower = _utc(query.since) if query.since else _BEGINNING_OF_TIME
    upper = [_END_OF_TIME]
    if query.before is not None:
        upper.append(f"{_utc(query.before.created_at)}#{query.before.call_id}")
    if query.until is not None:
        upper.append(_utc(query.until))
    if lower > min(upper):
        return None
    values: dict[str, Any] = {
        ":pk": {"S": f"TENANT#{tenant_id}"},
        ":from": {"S": lower},
        ":to": {"S": min(upper)},
    }
    request: dict[str, Any] = {
        "TableName": table,
        "IndexName": "gsi2",
        "KeyConditionExpression": "gsi2pk = :pk AND gsi2sk BETWEEN :from AND :to",
        "ScanIndexForward": False,
    }
    if query.status is None:
        # One more, for the row at `before`. With a filter it would count what the filter drops.
        request["Limit"] = query.limit + 1
    else:
        request["FilterExpression"] = "#status = :status"
        request["ExpressionAttributeNames"] = {"#status": "status"}
        values[":status"] = {"S": query.status.value}
    return {**request, "ExpressionAttributeValues": values}


def _lives(item: Any, now_s: float) -> bool:
    return "ttl" not in item or int(item["ttl"]["N"]) > now_s


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _row(call: Call) -> CallRow:
    reason = call.end_reason
    return CallRow(
        call.call_id, call.created_at, call.status.value, reason.value if reason else None
    )
