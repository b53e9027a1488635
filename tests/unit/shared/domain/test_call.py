"""A call is what its facts say, in whatever order and however often they come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.call import Call, CallStatus, EndReason, Fact, FactKind
from shared.domain.errors import CommandRefused
from shared.domain.lead import Lead

START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def a_call(*kinds: FactKind) -> Call:
    call = Call(
        "c1", "t1", "sofia", 1, "+34600000001", "+34400000012", Lead("+34600000001"), START, "trace"
    )
    return call.with_facts(
        Fact(START + timedelta(seconds=i), kind, 1, "test") for i, kind in enumerate(kinds)
    )


facts = st.builds(
    Fact,
    at=st.integers(0, 50).map(lambda s: START + timedelta(seconds=s)),
    kind=st.sampled_from(list(FactKind)),
    attempt=st.integers(1, 3),
    source=st.sampled_from(["twilio", "reconciler"]),
    detail=st.sampled_from(["", "1", "2", "CA1"]),
)


@given(st.lists(facts, max_size=12), st.randoms(), st.integers(1, 3))
def test_any_permutation_and_duplication_gives_the_same_record(known, random, times) -> None:
    shuffled = known * times
    random.shuffle(shuffled)
    first, second = a_call().with_facts(known), a_call().with_facts(shuffled)
    assert first == second
    assert (first.status, first.end_reason, first.is_settled, first.carrier_sid) == (
        second.status,
        second.end_reason,
        second.is_settled,
        second.carrier_sid,
    )


@given(st.lists(facts, min_size=1, max_size=12))
def test_a_fact_that_is_known_changes_nothing(known) -> None:
    call = a_call().with_facts(known)
    assert call.with_facts(known) is call


@given(st.lists(facts, max_size=8), facts)
def test_status_never_falls(known, late) -> None:
    order = list(CallStatus)
    before = a_call().with_facts(known)
    assert order.index(before.with_fact(late).status) >= order.index(before.status)


@pytest.mark.parametrize(
    ("kinds", "status", "reason"),
    [
        ((FactKind.QUEUED,), CallStatus.QUEUED, None),
        ((FactKind.DENIED,), CallStatus.DENIED, None),
        ((FactKind.QUEUED, FactKind.DIAL_INTENT), CallStatus.DIALING, None),
        ((FactKind.ANSWERED, FactKind.RINGING), CallStatus.IN_PROGRESS, None),
        ((FactKind.COMPLETED, FactKind.RINGING), CallStatus.ENDED, EndReason.COMPLETED),
        ((FactKind.COMPLETED, FactKind.VOICEMAIL), CallStatus.ENDED, EndReason.VOICEMAIL),
        ((FactKind.COMPLETED, FactKind.DROPPED), CallStatus.ENDED, EndReason.DROPPED),
        ((FactKind.NO_ANSWER,), CallStatus.ENDED, EndReason.NO_ANSWER),
        ((FactKind.DIAL_REFUSED,), CallStatus.ENDED, EndReason.FAILED),
        ((FactKind.LOST,), CallStatus.ENDED, EndReason.UNKNOWN),
        ((FactKind.LOST, FactKind.BUSY), CallStatus.ENDED, EndReason.BUSY),
        ((FactKind.COMPLETED, FactKind.ANALYSED), CallStatus.ANALYSED, EndReason.COMPLETED),
    ],
)
def test_status_and_reason(kinds, status, reason) -> None:
    call = a_call(*kinds)
    assert (call.status, call.end_reason) == (status, reason)


def test_a_call_that_talked_is_settled_only_once_its_journal_is_closed() -> None:
    talked = a_call(FactKind.STREAM_STARTED, FactKind.COMPLETED)
    assert not talked.is_settled
    assert talked.with_fact(Fact(START, FactKind.CONVERSATION_CLOSED)).is_settled
    assert a_call(FactKind.NO_ANSWER).is_settled


def test_the_carriers_id_comes_from_whoever_reports_it_first() -> None:
    call = a_call(FactKind.DIAL_INTENT).with_fact(Fact(START, FactKind.RINGING, 1, "twilio", "CA1"))
    assert call.carrier_sid == "CA1"


def test_an_attempt_with_unknown_result_is_never_dialled_again() -> None:
    assert a_call(FactKind.QUEUED).may_dial()
    assert not a_call(FactKind.QUEUED, FactKind.DIAL_INTENT, FactKind.DIAL_UNKNOWN).may_dial()


def test_stopping_follows_the_state_and_is_refused_after_the_end() -> None:
    assert a_call(FactKind.QUEUED).cancellation() is FactKind.CANCELED
    assert a_call(FactKind.RINGING).cancellation() is FactKind.CANCEL_REQUESTED
    assert a_call(FactKind.ANSWERED).cancellation() is FactKind.HANG_UP_REQUESTED
    with pytest.raises(CommandRefused, match="over"):
        a_call(FactKind.COMPLETED).cancellation()
