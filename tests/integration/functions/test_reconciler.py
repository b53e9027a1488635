"""What stands still is settled: asked for, sent again, stopped, closed; what does not stand still is left alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from itertools import chain, repeat

import boto3
import pytest

from functions.operator_log import operator_log
from functions.reconciler.app import UNANSWERED, Reconciler
from local.cloud.template import Template
from shared.adapters.dial_queue import DialQueue
from shared.domain.call import Call, CallStatus, EndReason, Fact, FactKind
from shared.domain.stream_token import StreamToken
from tests.integration.functions.scripted_carrier import (
    Reply,
    ScriptedCarrier,
    a_call,
    a_list,
    an_error,
)
from tests.integration.functions.stage import NOW, SetClock, TestStage

Run = Callable[[], int]


@pytest.fixture
def stage(template: Template) -> TestStage:
    """Alone in the table, as a run looks at all tenants; with a queue of its own."""
    stage = TestStage(template, SetClock())
    for call_id in list(stage.live.standing_still(NOW + timedelta(days=30))):
        ends = (FactKind.CANCELED, FactKind.CONVERSATION_CLOSED)
        stage.live.record(call_id, [Fact(NOW, kind, 1, "test") for kind in ends])
    sqs = boto3.client("sqs")
    stage.queue = DialQueue(sqs, sqs.create_queue(QueueName=stage.tenant_id)["QueueUrl"])
    return stage


@pytest.fixture
def carrier() -> Iterator[ScriptedCarrier]:
    server = ScriptedCarrier()
    yield server
    server.stop()


@pytest.fixture
def reconciler(stage: TestStage, carrier: ScriptedCarrier) -> Reconciler:
    return Reconciler(
        clock=stage.clock,
        live=stage.live,
        leases=stage.leases,
        queue=stage.queue,
        carrier=stage.carrier(carrier.url),
        log=operator_log(),
    )


@pytest.fixture
def run(reconciler: Reconciler) -> Run:
    return lambda: reconciler.run(lambda: 50_000)


def talking(stage: TestStage, sid: str = "CA1") -> Call:
    """A call in talk, held by a media task."""
    call = stage.dialling(
        FactKind.DIAL_ACCEPTED, FactKind.ANSWERED, FactKind.STREAM_STARTED, sid=sid
    )
    token = StreamToken(call.call_id, 1, 1, NOW + timedelta(minutes=1))
    stage.leases.take(token, sid, "task-a", stage.clock.now())
    return call


def test_what_moved_a_moment_ago_is_left_alone(
    stage: TestStage, run: Run, carrier: ScriptedCarrier
) -> None:
    stage.dialling(FactKind.DIAL_ACCEPTED, sid="CA1")
    stage.clock.forward(59)
    assert run() == 0
    assert not carrier.asked


def test_a_lost_message_is_sent_again_once_a_minute_and_only_into_an_empty_queue(
    stage: TestStage, run: Run
) -> None:
    stage.queued()
    stage.clock.forward(61)
    assert run() == 1
    assert stage.queue.backlog() == 1
    stage.clock.forward(30)
    assert run() == 0
    # Now it is late, not lost: the queue still has it.
    stage.clock.forward(60)
    assert run() == 0
    assert stage.queue.backlog() == 1
    stage.clock.forward(15 * 60)
    assert run() == 1


def test_a_call_that_was_put_back_is_sent_again(stage: TestStage, run: Run) -> None:
    call = stage.dialling()
    assert stage.live.put_back(call.call_id, 1)
    stage.clock.forward(61)
    assert run() == 1
    assert stage.queue.backlog() == 1


def test_a_dial_whose_answer_was_lost_is_found_by_its_numbers(
    stage: TestStage, run: Run, carrier: ScriptedCarrier
) -> None:
    call = stage.dialling(FactKind.DIAL_UNKNOWN)
    at = stage.clock.now() + timedelta(seconds=1)
    earlier, foreign = at - timedelta(hours=1), "+34400000099"
    carrier.will(
        a_list(
            a_call("CA-mine", "ringing", at=at + timedelta(seconds=1)),
            a_call("CA-other-caller", "ringing", foreign, at),
            a_call("CA-before", "completed", at=earlier),
        )
    )
    stage.clock.forward(61)
    assert run() == 1
    record = stage.live.get(call.call_id)
    assert (record.carrier_sid, record.status) == ("CA-mine", CallStatus.RINGING)


def test_another_calls_id_is_not_taken_for_the_lost_one(
    stage: TestStage, run: Run, carrier: ScriptedCarrier
) -> None:
    stage.dialling(FactKind.DIAL_ACCEPTED, FactKind.NO_ANSWER, sid="CA-first")
    lost = stage.dialling(FactKind.DIAL_UNKNOWN)
    at = stage.clock.now() + timedelta(seconds=1)
    later = at + timedelta(seconds=2)
    carrier.will(
        a_list(a_call("CA-second", "completed", at=later), a_call("CA-first", "no-answer", at=at))
    )
    stage.clock.forward(61)
    run()
    record = stage.live.get(lost.call_id)
    assert record.end_reason is EndReason.COMPLETED
    completed = record.fact(FactKind.COMPLETED)
    assert completed is not None
    assert completed.detail == "CA-second"


def test_a_dial_that_never_happened_is_lost_after_five_minutes_and_not_before(
    stage: TestStage, run: Run, carrier: ScriptedCarrier
) -> None:
    call = stage.dialling(FactKind.DIAL_UNKNOWN)
    carrier.will(a_list(), a_list())
    stage.clock.forward(61)
    assert run() == 0
    stage.clock.forward(300)
    assert run() == 1
    record = stage.live.get(call.call_id)
    assert (record.end_reason, record.is_settled) == (EndReason.UNKNOWN, True)
    assert stage.live.active_calls(stage.tenant_id) == 0


def test_a_missing_end_is_asked_for(stage: TestStage, run: Run, carrier: ScriptedCarrier) -> None:
    call = stage.dialling(FactKind.DIAL_ACCEPTED, FactKind.RINGING, sid="CA1")
    carrier.will(Reply(200, a_call("CA1", "no-answer")))
    stage.clock.forward(61)
    run()
    assert stage.live.get(call.call_id).end_reason is EndReason.NO_ANSWER
    assert stage.live.active_calls(stage.tenant_id) == 0


def test_an_end_that_is_found_late_is_dated_and_billed_as_the_carrier_has_it(
    stage: TestStage, run: Run, carrier: ScriptedCarrier
) -> None:
    call = stage.dialling(FactKind.DIAL_ACCEPTED, FactKind.RINGING, sid="CA1")
    ended_at = stage.clock.now() + timedelta(seconds=95)
    found = a_call("CA1", "completed", end_time=format_datetime(ended_at), duration="59")
    carrier.will(Reply(200, found))
    stage.clock.forward(180)
    run()
    record = stage.live.get(call.call_id)
    assert (record.ended_at, record.talk_s) == (ended_at, 59.0)
    assert record.answered_at == ended_at - timedelta(seconds=59)
    # The callback that comes after all says the same of the same moment, and changes nothing.
    late = Fact(ended_at, FactKind.COMPLETED, 1, "twilio", "CA1", 59)
    assert stage.live.record(call.call_id, [late]).ended_at == ended_at


@pytest.mark.parametrize("times", [1, 2])
def test_a_run_that_the_carrier_locks_out_asks_with_fresh_credentials_and_settles_nothing(
    stage: TestStage, run: Run, carrier: ScriptedCarrier, times: int
) -> None:
    call = stage.dialling(FactKind.DIAL_ACCEPTED, sid="CA1")
    refusals = [an_error(401, 20003)] * times
    carrier.will(*refusals, Reply(200, a_call("CA1", "completed")))
    stage.clock.forward(61)
    assert run() == (1 if times == 1 else 0)
    assert stage.live.get(call.call_id).is_over == (times == 1)


def test_a_list_behind_rotated_credentials_is_asked_for_again(
    stage: TestStage, run: Run, carrier: ScriptedCarrier
) -> None:
    call = stage.dialling(FactKind.DIAL_UNKNOWN)
    at = stage.clock.now() + timedelta(seconds=1)
    carrier.will(an_error(401, 20003), a_list(a_call("CA1", "ringing", at=at)))
    stage.clock.forward(61)
    assert run() == 1
    assert stage.live.get(call.call_id).carrier_sid == "CA1"


def test_a_call_in_talk_that_a_task_holds_is_nobodys_business(
    stage: TestStage, run: Run, carrier: ScriptedCarrier
) -> None:
    call = talking(stage)
    stage.clock.forward(61)
    token = StreamToken(call.call_id, 1, 2, NOW + timedelta(minutes=9))
    stage.leases.take(token, "CA1", "task-b", stage.clock.now())
    assert run() == 0
    assert not carrier.asked


def test_a_call_in_talk_that_nobody_holds_is_asked_for(
    stage: TestStage, run: Run, carrier: ScriptedCarrier
) -> None:
    call = talking(stage)
    carrier.will(Reply(200, a_call("CA1", "completed")))
    stage.clock.forward(61)
    run()
    record = stage.live.get(call.call_id)
    assert (record.status, record.is_settled) == (CallStatus.ENDED, False)
    stage.clock.forward(61)
    assert run() == 1
    record = stage.live.get(call.call_id)
    assert (record.end_reason, record.is_settled) == (EndReason.DROPPED, True)


def test_a_hang_up_that_did_not_go_through_is_completed(
    stage: TestStage, run: Run, carrier: ScriptedCarrier
) -> None:
    call = talking(stage)
    wish = Fact(stage.clock.now(), FactKind.HANG_UP_REQUESTED, 1, "api")
    stage.live.record(call.call_id, [wish])
    in_talk = a_call("CA1", "in-progress")
    carrier.will(Reply(200, in_talk), Reply(200, in_talk), Reply(200, a_call("CA1", "completed")))
    stage.clock.forward(61)
    run()
    stops = [asked.form["Status"] for asked in carrier.asked_to("POST")]
    assert stops == [["canceled"], ["completed"]]


def test_a_cancelled_dial_that_never_happened_is_cancelled_not_unknown(
    stage: TestStage, run: Run, carrier: ScriptedCarrier
) -> None:
    call = stage.dialling(FactKind.DIAL_UNKNOWN, FactKind.CANCEL_REQUESTED)
    carrier.will(a_list())
    stage.clock.forward(301)
    run()
    assert stage.live.get(call.call_id).end_reason is EndReason.CANCELED


def test_a_record_that_cannot_be_read_holds_up_nobody(
    stage: TestStage, run: Run, template: Template, carrier: ScriptedCarrier
) -> None:
    broken, sound = stage.dialling(FactKind.DIAL_ACCEPTED, sid="CA1"), stage.queued()
    boto3.client("dynamodb").update_item(
        TableName=template.physical["LiveTable"],
        Key={"pk": {"S": f"CALL#{broken.call_id}"}, "sk": {"S": "META"}},
        UpdateExpression="SET body = :nothing REMOVE gsi1pk",
        ExpressionAttributeValues={":nothing": {"S": "{}"}},
    )
    boto3.client("dynamodb").update_item(
        TableName=template.physical["LiveTable"],
        Key={"pk": {"S": f"CALL#{broken.call_id}"}, "sk": {"S": "META"}},
        UpdateExpression="SET gsi1pk = :first",
        ExpressionAttributeValues={":first": {"S": "ACTIVE#0"}},
    )
    stage.clock.forward(61)
    assert run() == 1
    assert stage.queue.backlog() == 1
    assert stage.live.get(sound.call_id).status is CallStatus.QUEUED
    boto3.client("dynamodb").delete_item(
        TableName=template.physical["LiveTable"],
        Key={"pk": {"S": f"CALL#{broken.call_id}"}, "sk": {"S": "META"}},
    )


def test_a_carrier_that_does_not_answer_is_left_in_peace_until_the_next_run(
    stage: TestStage, run: Run, carrier: ScriptedCarrier
) -> None:
    tenants = [stage, *(TestStage(stage.template, stage.clock) for _ in range(4))]
    for one in tenants:
        one.dialling(FactKind.DIAL_ACCEPTED, sid="CA1")
    carrier.will(*(an_error(503, 20500) for _ in range(5)))
    stage.clock.forward(61)
    assert run() == 0
    assert len(carrier.asked) == UNANSWERED


def test_a_run_stops_in_time(
    stage: TestStage, reconciler: Reconciler, carrier: ScriptedCarrier
) -> None:
    for _ in range(2):
        stage.dialling(FactKind.DIAL_ACCEPTED, sid="CA1")
    carrier.will(*(Reply(200, a_call("CA1", "completed")) for _ in range(2)))
    stage.clock.forward(61)
    left = chain([50_000], repeat(1_000))
    assert reconciler.run(lambda: next(left)) == 1


def test_two_runs_at_once_change_nothing_twice(
    stage: TestStage, reconciler: Reconciler, carrier: ScriptedCarrier
) -> None:
    call = stage.dialling(FactKind.DIAL_ACCEPTED, sid="CA1")
    carrier.will(*(Reply(200, a_call("CA1", "completed")) for _ in range(2)))
    stage.clock.forward(61)
    other = replace(reconciler)
    assert reconciler.run(lambda: 50_000) + other.run(lambda: 50_000) == 1
    assert stage.live.active_calls(stage.tenant_id) == 0
    assert stage.live.get(call.call_id).is_settled
