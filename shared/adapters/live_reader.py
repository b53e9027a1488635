"""A whole call as it lies in the `live` table: facts, conversation, decisions, analysis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.adapters.codec import from_json
from shared.adapters.journal import entry_of
from shared.domain.call import Call
from shared.domain.conversation import Conversation, Usage
from shared.domain.errors import NotFound
from shared.domain.gate import Decision
from shared.domain.journal import JournalEntry, conversation
from shared.domain.outcome import Analysis

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class WholeCall:
    call: Call
    conversation: Conversation
    decisions: tuple[Decision, ...]
    analysis: Analysis | None
    analysis_usage: Usage | None


class LiveReader:
    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def read(self, call_id: str) -> WholeCall:
        """Raises NotFound."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"CALL#{call_id}"}},
        )
        call: Call | None = None
        entries: list[JournalEntry] = []
        decisions: list[Decision] = []
        analysis: Analysis | None = None
        usage: Usage | None = None
        for page in pages:
            for item in page["Items"]:
                kind = item["sk"]["S"].partition("#")[0]
                if kind == "META":
                    call = from_json(Call, item["body"]["S"])
                elif kind == "J":
                    entries.append(entry_of(item))
                elif kind == "DECISION":
                    decisions.append(from_json(Decision, item["body"]["S"]))
                elif kind == "ANALYSIS":
                    analysis = from_json(Analysis, item["body"]["S"])
                    usage = from_json(Usage, item["usage"]["S"])
        if call is None:
            raise NotFound("there is no such call")
        return WholeCall(call, conversation(entries), tuple(decisions), analysis, usage)
