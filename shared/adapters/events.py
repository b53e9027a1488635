"""Events on the bus: what they look like, and putting them there.

Consumers and tests read `CallEvent`; its JSON Schema stands beside the publisher and changes only with a new version in
the event's name.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from shared.adapters.codec import to_json
from shared.domain.call import Call, CallStatus, EndReason
from shared.domain.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

SOURCE = "sofia"
VERSION = 1
# What one request takes.
BATCH = 10


class EventKind(StrEnum):
    """The `detail-type` of an event."""

    CREATED = "call.created.v1"
    DENIED = "call.denied.v1"
    STATUS = "call.status.v1"
    ENDED = "call.ended.v1"
    ANALYSED = "call.analysed.v1"
    AMENDED = "call.amended.v1"
    """A late report changed what is known of a call that was published as ended."""


@dataclass(frozen=True, slots=True)
class EventMeta:
    """`id` follows from the call and what happened: the same event sent twice has the same. `at` is when the latest
    fact behind it happened."""

    id: str
    tenant_id: str
    at: Annotated[datetime, msgspec.Meta(tz=True)]
    v: int
    trace_id: str


@dataclass(frozen=True, slots=True)
class EventData:
    """Where the call stands. Everything else is asked for by its id."""

    call_id: str
    status: CallStatus
    end_reason: EndReason | None


@dataclass(frozen=True, slots=True)
class CallEvent:
    """The `detail` of every event about a call."""

    meta: EventMeta
    data: EventData


def call_event(kind: EventKind, call: Call) -> CallEvent:
    """The event of this kind about a call as it is."""
    return CallEvent(
        EventMeta(
            id=f"{call.call_id}:{kind.value}{_which(kind, call)}",
            tenant_id=call.tenant_id,
            at=max(fact.at for fact in call.facts.values()),
            v=VERSION,
            trace_id=call.trace_id,
        ),
        EventData(call.call_id, call.status, call.end_reason),
    )


def _which(kind: EventKind, call: Call) -> str:
    """Tells apart what happens to a call more than once: it passes through each status once, and each amendment
    leaves other facts behind. Everything else happens once."""
    if kind is EventKind.STATUS:
        return f":{call.status.value}"
    if kind is EventKind.AMENDED:
        facts = to_json([call.facts[key] for key in sorted(call.facts)])
        return f":{hashlib.sha256(facts.encode()).hexdigest()[:16]}"
    return ""


def json_schema() -> dict[str, Any]:
    """The JSON Schema of `CallEvent`."""
    return msgspec.json.schema(CallEvent)


class Bus:
    """The event bus of a stage."""

    def __init__(self, client: EventBridgeClient, name: str) -> None:
        self._client = client
        self._name = name

    def put(self, events: list[tuple[EventKind, CallEvent]]) -> None:
        """Put at most `BATCH` events. Raises Unavailable if the bus did not take all: all may be put again."""
        entries: Any = [
            {
                "Source": SOURCE,
                "DetailType": kind.value,
                "Detail": to_json(event),
                "EventBusName": self._name,
            }
            for kind, event in events
        ]
        if entries and self._client.put_events(Entries=entries)["FailedEntryCount"]:
            raise Unavailable("the bus did not take every event")
