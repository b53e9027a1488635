"""From the stream of the `live` table to the bus: the one writer of events.

Each event's id follows from the call and what happened, so that a record delivered twice says the same twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from shared.adapters import aws_clients
from shared.adapters.codec import from_json
from shared.config import required
from shared.domain.call import Call, CallStatus
from shared.domain.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient


@cache
def compose() -> tuple[EventBridgeClient, str]:
    return aws_clients.events(), required("EVENT_BUS_NAME")


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Publishes record by record; the first that fails and all after it come again (order within a call)."""
    client, bus = compose()
    for record in event["Records"]:
        try:
            entries = [_entry(kind, call, bus) for kind, call in happened(record)]
            if entries and client.put_events(Entries=entries)["FailedEntryCount"]:  # type: ignore[arg-type]
                raise Unavailable("the bus did not take every event")
        except Unavailable:
            return {"batchItemFailures": [{"itemIdentifier": record["dynamodb"]["SequenceNumber"]}]}
    return {"batchItemFailures": []}


def happened(record: Mapping[str, Any]) -> Iterator[tuple[str, Call]]:
    """The events in one stream record."""
    new = record["dynamodb"].get("NewImage")
    if new is None or new["sk"]["S"] != "META":
        return
    call = from_json(Call, new["body"]["S"])
    old_item = record["dynamodb"].get("OldImage")
    old = from_json(Call, old_item["body"]["S"]) if old_item else None
    if old is None:
        yield "call.created.v1", call
    if call.status is CallStatus.DENIED and (old is None or old.status is not CallStatus.DENIED):
        yield "call.denied.v1", call
    if old is not None and old.status is not call.status:
        yield "call.status.v1", call
    if call.status is not CallStatus.DENIED and call.is_settled and not (old and old.is_settled):
        yield "call.ended.v1", call
    analysed = call.status is CallStatus.ANALYSED
    if analysed and not (old and old.status is CallStatus.ANALYSED):
        yield "call.analysed.v1", call


def _entry(kind: str, call: Call, bus: str) -> dict[str, str]:
    reason = call.end_reason
    detail = {
        "meta": {
            "id": f"{call.call_id}:{kind}:{call.status.value}",
            "tenant_id": call.tenant_id,
            "at": max(fact.at for fact in call.facts.values()).isoformat(),
            "v": 1,
            "trace_id": call.trace_id,
        },
        "data": {
            "call_id": call.call_id,
            "status": call.status.value,
            "end_reason": reason.value if reason else None,
        },
    }
    return {
        "Source": "sofia",
        "DetailType": kind,
        "Detail": json.dumps(detail),
        "EventBusName": bus,
    }
