"""Calls in the store: exact under concurrency, unmoved by repetition."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.awsrequest import AWSResponse
from ulid import ULID

from local.cloud.template import Template
from shared.adapters import aws_clients
from shared.adapters.leases import LeaseRefused, Leases
from shared.adapters.live_calls import Contended, LiveCalls, NoSlot
from shared.domain.call import Call, CallStatus, Fact, FactKind
from shared.domain.errors import NotFound, Refused
from shared.domain.gate import Decision, Stage
from shared.domain.lead import Lead
from shared.domain.stream_token import StreamToken

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NOW = datetime(2026, 11, 24, 9, 40, tzinfo=UTC)
YES = Decision(True, None, None, Stage.DIAL, "test", "hash", NOW, ())


@pytest.fixture
def live(template: Template) -> LiveCalls:
    return LiveCalls(aws_clients.dynamodb(), template.physical["LiveTable"])


def fact(kind: FactKind, attempt: int = 1, after_s: int = 0, detail: str = "") -> Fact:
    return Fact(NOW + timedelta(seconds=after_s), kind, attempt, "test", detail)


def queued(live: LiveCalls, tenant: str) -> Call:
    call_id = str(ULID())
    number = "+34600000001"
    call = Call(call_id, tenant, "sofia", 1, number, "+34400000012", Lead(number), NOW, "trace")
    call = call.with_fact(fact(FactKind.QUEUED, 0))
    assert live.create(call, YES)
    return call


def begin(live: LiveCalls, call: Call, limit: int) -> bool:
    try:
        live.begin_dial(call.call_id, fact(FactKind.DIAL_INTENT), YES, limit)
    except NoSlot:
        return False
    return True


def test_creating_twice_makes_one(live: LiveCalls) -> None:
    call = queued(live, "t-create")
    assert not live.create(call, YES)
    assert live.get(call.call_id) == call


def test_another_tenants_call_is_not_found(live: LiveCalls) -> None:
    call = queued(live, "t-one")
    with pytest.raises(NotFound):
        live.get_for("t-two", call.call_id)


def test_as_many_dials_as_the_tenant_may_have_and_not_one_more(live: LiveCalls) -> None:
    calls = [queued(live, "t-slots") for _ in range(30)]
    with ThreadPoolExecutor(12) as pool:
        begun = list(pool.map(lambda call: begin(live, call, 10), calls))
    assert sum(begun) == 10
    assert live.active_calls("t-slots") == 10


def test_one_dial_for_a_call_however_often_its_message_comes(live: LiveCalls) -> None:
    call = queued(live, "t-once")

    def dial(_: int) -> bool:
        try:
            return begin(live, call, 10)
        except Refused:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(dial, range(8))) == 1
    assert live.active_calls("t-once") == 1


def test_the_end_gives_the_slot_back_once_whatever_comes_twice_and_at_once(live: LiveCalls) -> None:
    calls = [queued(live, "t-end") for _ in range(8)]
    for call in calls:
        assert begin(live, call, 10)
    ends = [
        (call, kind)
        for call in calls
        for kind in (FactKind.COMPLETED, FactKind.COMPLETED, FactKind.RINGING)
    ]
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda end: live.record(end[0].call_id, [fact(end[1])]), ends))
    assert live.active_calls("t-end") == 0
    assert all(live.get(call.call_id).status is CallStatus.ENDED for call in calls)


def test_facts_that_are_known_write_nothing(live: LiveCalls) -> None:
    call = queued(live, "t-known")
    first = live.record(call.call_id, [fact(FactKind.RINGING)])
    assert live.record(call.call_id, [fact(FactKind.RINGING, after_s=9)]) == first


def test_calls_that_stand_still_are_found_until_they_are_settled(live: LiveCalls) -> None:
    call = queued(live, "t-still")
    assert call.call_id in set(live.standing_still(NOW + timedelta(seconds=1)))
    live.record(call.call_id, [fact(FactKind.CANCELED)])
    assert call.call_id not in set(live.standing_still(NOW + timedelta(days=1)))


def test_a_leg_is_taken_once_and_an_older_one_never_comes_back(
    template: Template, live: LiveCalls
) -> None:
    leases = Leases(aws_clients.dynamodb(), template.physical["LiveTable"])
    call = queued(live, "t-lease")

    def token(leg: int) -> StreamToken:
        return StreamToken(call.call_id, 1, leg, NOW + timedelta(minutes=1))

    first = leases.take(token(1), "CA1", "task-a", NOW)
    with pytest.raises(LeaseRefused):
        leases.take(token(1), "CA1", "task-b", NOW)
    with pytest.raises(LeaseRefused):
        leases.take(token(2), "CA-other", "task-b", NOW)
    second = leases.take(token(2), "CA1", "task-b", NOW + timedelta(seconds=5))
    assert second.answered_at == first.answered_at
    with pytest.raises(LeaseRefused):
        leases.renew(first, NOW)
    leases.renew(second, NOW)


def test_what_was_put_back_frees_its_slot_and_takes_one_again(live: LiveCalls) -> None:
    call = queued(live, "t-back")
    assert begin(live, call, 1)
    assert live.put_back(call.call_id, 1)
    assert live.active_calls("t-back") == 0
    assert live.stored(call.call_id).may_dial
    live.begin_dial(call.call_id, fact(FactKind.DIAL_INTENT, 2), YES, 1)
    assert live.active_calls("t-back") == 1
    assert not live.stored(call.call_id).may_dial
    live.record(call.call_id, [fact(FactKind.COMPLETED, 2)])
    assert live.active_calls("t-back") == 0


def test_an_attempt_of_which_more_is_known_is_not_put_back(live: LiveCalls) -> None:
    call = queued(live, "t-known-more")
    begin(live, call, 1)
    live.record(call.call_id, [fact(FactKind.RINGING)])
    assert not live.put_back(call.call_id, 1)
    assert live.active_calls("t-known-more") == 1


def test_an_intent_for_an_attempt_that_was_made_is_refused(live: LiveCalls) -> None:
    call = queued(live, "t-attempt")
    with pytest.raises(Refused):
        live.begin_dial(call.call_id, fact(FactKind.DIAL_INTENT, 2), YES, 1)


def test_a_call_ends_even_if_its_tenants_counter_was_lost(
    template: Template, live: LiveCalls
) -> None:
    call = queued(live, "t-astray")
    begin(live, call, 1)
    key = {"pk": {"S": "TENANT#t-astray"}, "sk": {"S": "CONC"}}
    aws_clients.dynamodb().delete_item(TableName=template.physical["LiveTable"], Key=key)
    assert live.record(call.call_id, [fact(FactKind.COMPLETED)]).is_over
    assert live.get(call.call_id).is_over


def refused_with(client: DynamoDBClient, times: int, *codes: str) -> list[str]:
    """Let the client's next transactions fail as DynamoDB does under contention, which no emulator shows."""
    left = [codes] * times
    message = f"Transaction cancelled [{', '.join(codes)}]"
    body = {"__type": "TransactionCanceledException", "Message": message}
    body["CancellationReasons"] = [{"Code": code} for code in codes]  # type: ignore[assignment]
    seen: list[str] = []

    def answer(request: object, **_: object) -> AWSResponse | None:
        seen.append("asked")
        if not left:
            return None
        left.pop()
        raw = io.BytesIO(json.dumps(body).encode())
        headers: Any = {"x-amzn-requestid": "1", "content-type": "application/x-amz-json-1.0"}
        return AWSResponse("http://local", 400, headers, Raw(raw))

    events: Any = client.meta.events
    events.register("before-send.dynamodb.TransactWriteItems", answer)
    return seen


class Raw:
    """The body of a response as botocore streams it."""

    def __init__(self, body: io.BytesIO) -> None:
        self._body = body

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        yield self._body.read()


@pytest.mark.parametrize("code", ["TransactionConflict", "ThrottlingError"])
def test_a_passing_conflict_is_neither_existence_nor_failure(template: Template, code: str) -> None:
    client = aws_clients.dynamodb()
    live = LiveCalls(client, template.physical["LiveTable"])
    asked = refused_with(client, 3, code, "None")
    call = queued(live, "t-conflict")
    assert len(asked) == 4
    assert live.get(call.call_id) == call


def test_a_conflict_that_does_not_pass_is_said_to_pass_later(
    template: Template, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.adapters.live_calls.TRIES", 3)
    client = aws_clients.dynamodb()
    live = LiveCalls(client, template.physical["LiveTable"])
    call = queued(live, "t-contended")
    refused_with(client, 99, "TransactionConflict", "None", "None")
    with pytest.raises(Contended):
        live.begin_dial(call.call_id, fact(FactKind.DIAL_INTENT), YES, 5)
    assert live.get(call.call_id).status is CallStatus.QUEUED
