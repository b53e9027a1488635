"""Reading the `live` table: what has run out is gone, what newer code wrote is not guessed at, no bounds break it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from local.cloud.template import Template
from shared.adapters import aws_clients
from shared.adapters.codec import CorruptRecord
from shared.adapters.journal import Journal
from shared.adapters.live_items import KEEP
from shared.adapters.live_reader import LiveReader
from shared.domain.call import Call, Fact, FactKind
from shared.domain.conversation import Turn, Who
from shared.domain.errors import NotFound
from shared.domain.journal import JournalEntry
from shared.domain.listing import CallQuery, Place
from tests.integration.functions.stage import NOW, SetClock, TestStage


@pytest.fixture
def stage(template: Template) -> TestStage:
    return TestStage(template, SetClock())


@pytest.fixture
def reader(stage: TestStage) -> LiveReader:
    return LiveReader(aws_clients.dynamodb(), stage.template.physical["LiveTable"], stage.clock)


@pytest.fixture
def newer(stage: TestStage) -> Callable[[Call, str], None]:
    """Lets newer code write one of a call's items."""

    def write(call: Call, sk: str) -> None:
        aws_clients.dynamodb().update_item(
            TableName=stage.template.physical["LiveTable"],
            Key={"pk": {"S": f"CALL#{call.call_id}"}, "sk": {"S": sk}},
            UpdateExpression="SET v = :newer",
            ExpressionAttributeValues={":newer": {"N": "2"}},
        )

    return write


def with_a_turn(stage: TestStage) -> Call:
    call = stage.queued()
    entry = JournalEntry(call.call_id, 1, 1, Turn(1, Who.AGENT, "a", "a", 0, 1), "trace")
    Journal(aws_clients.dynamodb(), stage.template.physical["LiveTable"], stage.clock).append(
        [entry]
    )
    return call


def test_a_call_whose_time_has_run_out_is_gone_whole(stage: TestStage, reader: LiveReader) -> None:
    call = with_a_turn(stage)
    stage.clock.moment = NOW + KEEP - timedelta(seconds=1)
    assert reader.read(call.call_id).call == call
    assert [row.call_id for row in reader.rows(stage.tenant_id, CallQuery(5))] == [call.call_id]
    stage.clock.forward(1)
    with pytest.raises(NotFound):
        reader.read(call.call_id)
    assert reader.rows(stage.tenant_id, CallQuery(5)) == []


@pytest.mark.parametrize("sk", ["META", "J#00000001#0001"])
def test_what_newer_code_wrote_is_not_guessed_at(
    stage: TestStage, reader: LiveReader, newer: Callable[[Call, str], None], sk: str
) -> None:
    call = with_a_turn(stage)
    newer(call, sk)
    with pytest.raises(CorruptRecord, match="deploy newer code"):
        reader.read(call.call_id)


@pytest.mark.parametrize(
    "bounds",
    [
        {"since": NOW + timedelta(hours=1), "until": NOW - timedelta(hours=1)},
        {"since": NOW + timedelta(hours=1), "before": Place(NOW, "z")},
    ],
)
def test_bounds_between_which_nothing_can_lie_find_nothing(
    stage: TestStage, reader: LiveReader, bounds: dict[str, Any]
) -> None:
    stage.queued()
    assert reader.rows(stage.tenant_id, CallQuery(5, **bounds)) == []


def test_every_change_of_a_call_makes_its_reading_a_later_one(
    stage: TestStage, reader: LiveReader
) -> None:
    call = stage.dialling(FactKind.ANSWERED)
    before = reader.read(call.call_id).known
    late = Fact(NOW - timedelta(seconds=3), FactKind.ANSWERED, 1, "twilio")
    stage.live.record(call.call_id, [late])
    after = reader.read(call.call_id)
    assert len(after.call.facts) == len(call.facts)
    assert after.known > before


def test_items_of_a_call_carry_its_trace_and_their_version(stage: TestStage) -> None:
    call = with_a_turn(stage)
    answer = aws_clients.dynamodb().query(
        TableName=stage.template.physical["LiveTable"],
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"CALL#{call.call_id}"}},
    )
    assert {(item["v"]["N"], item["trace_id"]["S"]) for item in answer["Items"]} == {("1", "trace")}
