"""A batch of stream records: in order, and from the first failure on again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from functions.operator_log import operator_log
from functions.publisher import handler as publisher
from shared.adapters.codec import to_json
from shared.adapters.events import Bus
from shared.domain.call import Call, Fact, FactKind
from shared.domain.lead import Lead

NOW = datetime(2026, 11, 24, 9, 40, tzinfo=UTC)


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    client = boto3.client(
        "events", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    with Stubber(client) as stubber:
        monkeypatch.setattr(publisher, "compose", lambda: (Bus(client, "bus"), operator_log()))
        yield stubber


def a_record(number: int, body: str | None = None) -> dict[str, Any]:
    call = Call(f"C{number}", "t", "a", 1, "+34600000001", "+34", Lead("+34600000001"), NOW, "x")
    call = call.with_fact(Fact(NOW, FactKind.QUEUED, 0, "test"))
    return {
        "dynamodb": {
            "SequenceNumber": str(number),
            "Keys": {"pk": {"S": f"CALL#C{number}"}, "sk": {"S": "META"}},
            "NewImage": {"body": {"S": body or to_json(call)}},
        }
    }


def taken(stubber: Stubber, failed: int = 0) -> None:
    answer = {"FailedEntryCount": failed, "Entries": []}
    stubber.add_response("put_events", answer, {"Entries": ANY})


def failures(*records: dict[str, Any]) -> list[str]:
    answer = publisher.handler({"Records": list(records)}, None)
    return [one["itemIdentifier"] for one in answer["batchItemFailures"]]


def test_everything_is_published_in_order(bus: Stubber) -> None:
    taken(bus)
    taken(bus)
    assert failures(a_record(1), a_record(2)) == []
    bus.assert_no_pending_responses()


def test_an_event_that_the_bus_left_out_comes_again(bus: Stubber) -> None:
    taken(bus)
    taken(bus, failed=1)
    assert failures(a_record(1), a_record(2), a_record(3)) == ["2"]
    bus.assert_no_pending_responses()


def test_a_bus_that_is_away_loses_nothing(bus: Stubber) -> None:
    bus.add_client_error("put_events", "ThrottlingException")
    assert failures(a_record(1), a_record(2)) == ["1"]


def test_a_record_that_cannot_be_read_is_named_and_not_skipped(
    bus: Stubber, capsys: pytest.CaptureFixture[str]
) -> None:
    taken(bus)
    assert failures(a_record(1), a_record(2, "{}"), a_record(3)) == ["2"]
    bus.assert_no_pending_responses()


def test_what_is_not_a_call_asks_nobody(bus: Stubber) -> None:
    record = a_record(1)
    record["dynamodb"]["Keys"]["sk"]["S"] = "LEASE"
    assert failures(record) == []


def test_an_entry_names_its_source_and_kind(bus: Stubber) -> None:
    def detail(entries: Any) -> bool:
        entry = entries[0]
        body = json.loads(entry["Detail"])
        wanted = ("sofia", "call.created.v1", "C1")
        return (entry["Source"], entry["DetailType"], body["data"]["call_id"]) == wanted

    class Entries:
        def __eq__(self, other: object) -> bool:
            return detail(other)

        __hash__ = None  # type: ignore[assignment]

    answer = {"FailedEntryCount": 0, "Entries": []}
    bus.add_response("put_events", answer, {"Entries": Entries()})
    assert failures(a_record(1)) == []
