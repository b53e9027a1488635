"""A batch of stream records: in order, and from the first failure on again."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from aws_lambda_powertools import Logger
from botocore.stub import ANY, Stubber
from ulid import ULID

from functions.publisher import handler as publisher
from functions.publisher.unreadable import Unreadable
from shared.adapters.codec import to_json
from shared.adapters.events import Bus
from shared.domain.call import Call, Fact, FactKind
from shared.domain.lead import Lead

NOW = datetime(2026, 11, 24, 9, 40, tzinfo=UTC)


def a_stub(service: str) -> Stubber:
    client = boto3.client(
        service,  # type: ignore[call-overload]
        region_name="eu-west-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
    )
    return Stubber(client)


@pytest.fixture
def queue() -> Iterator[Stubber]:
    with a_stub("sqs") as stubber:
        yield stubber


@pytest.fixture
def log_lines() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def bus(
    monkeypatch: pytest.MonkeyPatch, queue: Stubber, log_lines: io.StringIO
) -> Iterator[Stubber]:
    with a_stub("events") as stubber:
        unreadable = Unreadable(queue.client, "https://queue")
        log = Logger(service=str(ULID()), stream=log_lines)
        made = publisher.Publisher(Bus(stubber.client, "bus"), unreadable, log)
        monkeypatch.setattr(publisher, "compose", lambda: made)
        yield stubber


def a_record(number: int, body: str | None = None) -> dict[str, Any]:
    call = Call(f"C{number}", "t", "a", 1, "+34600000001", "+34", Lead("+34600000001"), NOW, "x")
    call = call.with_fact(Fact(NOW, FactKind.QUEUED, 0, "test"))
    return {
        "dynamodb": {
            "SequenceNumber": str(number),
            "Keys": {"pk": {"S": f"CALL#C{number}"}, "sk": {"S": "META"}},
            "NewImage": {"body": {"S": body or to_json(call)}, "v": {"N": "1"}},
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


def test_a_record_that_cannot_be_read_goes_aside_and_holds_up_nobody(
    bus: Stubber, queue: Stubber
) -> None:
    kept: dict[str, Any] = {
        "reason": "unreadable",
        "error": "CorruptRecord",
        "sequence_number": "2",
        "stream": "",
        "keys": {"pk": "CALL#C2", "sk": "META"},
    }
    wanted = {"QueueUrl": "https://queue", "MessageBody": to_json(kept)}
    queue.add_response("send_message", {"MessageId": "m"}, wanted)
    taken(bus)
    taken(bus)
    secret = '{"to_number": "+34600000001"}'
    assert failures(a_record(1), a_record(2, secret), a_record(3)) == []
    bus.assert_no_pending_responses()
    queue.assert_no_pending_responses()


def test_what_can_neither_be_read_nor_set_aside_comes_again(bus: Stubber, queue: Stubber) -> None:
    queue.add_client_error("send_message", "ThrottlingException")
    taken(bus)
    assert failures(a_record(1), a_record(2, "{}"), a_record(3)) == ["2"]


def test_the_operator_reads_which_record_it_was_and_nothing_of_it(
    bus: Stubber, queue: Stubber, log_lines: io.StringIO
) -> None:
    queue.add_response("send_message", {"MessageId": "m"})
    failures(a_record(2, '{"to_number": "+34600000001"}'))
    line = json.loads(log_lines.getvalue())
    assert (line["level"], line["sequence_number"], line["item"]) == ("ERROR", "2", "CALL#C2")
    assert "+34" not in str(line)


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
