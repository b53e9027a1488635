"""A whole call as it lies in the `live` table: facts, conversation, decisions, analysis; and a tenant's calls."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from shared.adapters.codec import from_json
from shared.adapters.journal import entry_of
from shared.domain.call import Call
from shared.domain.conversation import Conversation, Usage
from shared.domain.errors import NotFound
from shared.domain.gate import Decision
from shared.domain.journal import JournalEntry, conversation
from shared.domain.listing import CallQuery, CallRow
from shared.domain.outcome import Analysis

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Below and above every time that is written as ISO 8601.
_BEGINNING_OF_TIME, _END_OF_TIME = " ", "~"


@dataclass(frozen=True, slots=True)
class WholeCall:
    """Everything on record. `known` counts it (facts, journal entries, decisions, the analysis); nothing is ever
    taken back, so of two readings of a call the one that knows more is the later one."""

    call: Call
    conversation: Conversation
    decisions: tuple[Decision, ...]
    analysis: Analysis | None
    analysis_usage: Usage | None
    known: int = 0


@dataclass(slots=True)
class _Found:
    """The items of one call, as the pages bring them."""

    call: Call | None = None
    entries: list[JournalEntry] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    analysis: Analysis | None = None
    analysis_usage: Usage | None = None

    def add(self, item: Any) -> None:
        body = item.get("body", {}).get("S", "")
        match item["sk"]["S"].partition("#")[0]:
            case "META":
                self.call = from_json(Call, body)
            case "J":
                self.entries.append(entry_of(item))
            case "DECISION":
                self.decisions.append(from_json(Decision, body))
            case "ANALYSIS":
                self.analysis = from_json(Analysis, body)
                self.analysis_usage = from_json(Usage, item["usage"]["S"])
            case _:
                # Leases and tokens are the media service's.
                pass

    def whole(self) -> WholeCall:
        if self.call is None:
            raise NotFound("there is no such call")
        known = len(self.call.facts) + len(self.entries) + len(self.decisions)
        return WholeCall(
            call=self.call,
            conversation=conversation(self.entries),
            decisions=tuple(self.decisions),
            analysis=self.analysis,
            analysis_usage=self.analysis_usage,
            known=known + (self.analysis is not None),
        )


class LiveReader:
    """Reads the `live` table; writes nothing."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def read(self, call_id: str) -> WholeCall:
        """One query, consistent. Raises NotFound, CorruptRecord."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"CALL#{call_id}"}},
        )
        found = _Found()
        for page in pages:
            for item in page["Items"]:
                found.add(item)
        return found.whole()

    def rows(self, tenant_id: str, query: CallQuery) -> list[CallRow]:
        """The tenant's youngest calls that `query` asks for. Outcomes are not known here: a query for one finds
        nothing."""
        if query.outcome is not None:
            return []
        request = _list_request(self._table, tenant_id, query)
        rows: list[CallRow] = []
        for page in self._client.get_paginator("query").paginate(**request):
            for item in page["Items"]:
                row = _row(from_json(Call, item["body"]["S"]))
                # The key condition takes its upper bound in.
                if query.before is None or row.place < query.before:
                    rows.append(row)
            if len(rows) >= query.limit:
                break
        return rows[: query.limit]


def _list_request(table: str, tenant_id: str, query: CallQuery) -> dict[str, Any]:
    """Keys of the index are `created_at#call_id`; times are written in UTC, so that text order is time order."""
    upper = [_END_OF_TIME]
    if query.before is not None:
        upper.append(f"{_utc(query.before.created_at)}#{query.before.call_id}")
    if query.until is not None:
        upper.append(_utc(query.until))
    values: dict[str, Any] = {
        ":pk": {"S": f"TENANT#{tenant_id}"},
        ":from": {"S": _utc(query.since) if query.since else _BEGINNING_OF_TIME},
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


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _row(call: Call) -> CallRow:
    reason = call.end_reason
    return CallRow(
        call.call_id, call.created_at, call.status.value, reason.value if reason else None
    )
