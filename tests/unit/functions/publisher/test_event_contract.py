"""What consumers of the bus rely on stands in a file and changes only on purpose."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

import functions.publisher
from shared.adapters.codec import CorruptRecord, from_json, to_json
from shared.adapters.events import CallEvent, EventKind, call_event, json_schema
from shared.domain.call import Call, Fact, FactKind
from shared.domain.lead import Lead

SCHEMA = Path(functions.publisher.__file__).with_name("call_event.v1.schema.json")
NOW = datetime(2026, 11, 24, 9, 40, tzinfo=UTC)


def an_event() -> CallEvent:
    call = Call(
        "C", "t", "sofia", 1, "+34600000001", "+34400000012", Lead("+34600000001"), NOW, "x"
    )
    return call_event(EventKind.ENDED, call.with_fact(Fact(NOW, FactKind.BUSY, 1, "test")))


def test_the_schema_in_the_repository_is_the_one_of_the_code() -> None:
    assert json.loads(SCHEMA.read_text()) == json_schema()


def test_an_event_as_it_goes_over_the_bus() -> None:
    assert json.loads(to_json(an_event())) == {
        "meta": {
            "id": "C:call.ended.v1",
            "tenant_id": "t",
            "at": "2026-11-24T09:40:00Z",
            "v": 1,
            "trace_id": "x",
        },
        "data": {"call_id": "C", "status": "ended", "end_reason": "busy"},
    }


def test_an_event_carries_nobodys_number() -> None:
    assert "+34" not in to_json(an_event())


def test_consumers_read_what_the_publisher_writes() -> None:
    assert from_json(CallEvent, to_json(an_event())) == an_event()
    with pytest.raises(CorruptRecord):
        from_json(CallEvent, '{"meta": {}, "data": {}}')
