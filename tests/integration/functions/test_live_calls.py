"""Calls in the store: exact under concurrency, unmoved by repetition."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from ulid import ULID

from local.cloud.template import Template
from shared.adapters import aws_clients
from shared.adapters.leases import LeaseRefused, Leases
from shared.adapters.live_calls import LiveCalls, NoSlot
from shared.domain.call import Call, CallStatus, Fact, FactKind
from shared.domain.errors import NotFound, Refused
from shared.domain.gate import Decision, Stage
from shared.domain.lead import Lead
from shared.domain.stream_token import StreamToken

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
    assert call.call_id in {c.call_id for c in live.unfinished(NOW + timedelta(seconds=1))}
    live.record(call.call_id, [fact(FactKind.CANCELED)])
    assert call.call_id not in {c.call_id for c in live.unfinished(NOW + timedelta(days=1))}


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
