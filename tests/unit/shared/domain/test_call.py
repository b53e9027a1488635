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
    talk_s=st.sampled_from([None, None, 0, 7, 60]),
)


@given(st.lists(facts, max_size=12), st.randoms(), st.integers(1, 3))
def test_any_permutation_and_duplication_gives_the_same_record(known, random, times) -> None:
    shuffled = known * times
    random.shuffle(shuffled)
    first, second = a_call().with_facts(known), a_call().with_facts(shuffled)
    assert first == second
    assert told(first) == told(second)


def told(call: Call) -> tuple[object, ...]:
    return (
        call.status,
        call.end_reason,
        call.is_settled,
        call.carrier_sid,
        call.answered_at,
        call.ended_at,
        call.talk_s,
    )


@given(st.lists(facts, max_size=12))
def test_no_call_is_answered_after_its_end_or_shorter_than_nothing(known) -> None:
    call = a_call().with_facts(known)
    assert call.talk_s >= 0
    if call.answered_at is not None and call.ended_at is not None:
        assert call.answered_at <= call.ended_at


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


def at(second: int, kind: FactKind, talk_s: int | None = None, source: str = "twilio") -> Fact:
    return Fact(START + timedelta(seconds=second), kind, 1, source, "", talk_s)


def test_the_carriers_seconds_are_billed_whoever_learnt_of_the_end_and_when() -> None:
    late = at(200, FactKind.COMPLETED, source="reconciler")
    own = at(95, FactKind.COMPLETED, 81)
    for order in ((late, own), (own, late)):
        call = a_call().with_facts([at(14, FactKind.ANSWERED), *order])
        assert (call.talk_s, call.ended_at) == (81.0, own.at)


def test_a_lost_report_of_the_answer_is_made_up_for_by_the_end() -> None:
    call = a_call().with_fact(at(95, FactKind.COMPLETED, 81))
    assert call.answered_at == START + timedelta(seconds=14)


def test_a_call_that_nobody_answered_was_not_answered() -> None:
    call = a_call().with_fact(at(30, FactKind.NO_ANSWER, 0))
    assert (call.answered_at, call.talk_s) == (None, 0.0)


def test_without_the_carriers_seconds_the_time_between_answer_and_end_counts() -> None:
    call = a_call().with_facts([at(14, FactKind.ANSWERED), at(95, FactKind.COMPLETED)])
    assert call.talk_s == 81.0


def test_a_call_given_up_as_lost_ends_when_the_carrier_says() -> None:
    call = a_call().with_facts([at(300, FactKind.LOST), at(500, FactKind.COMPLETED, 490)])
    assert (call.end_reason, call.ended_at) == (
        EndReason.COMPLETED,
        START + timedelta(seconds=500),
    )


def test_reports_that_differ_in_their_detail_alone_leave_the_same_one() -> None:
    first, second = (Fact(START, FactKind.COMPLETED, 1, "twilio", sid) for sid in ("CA1", "CA2"))
    assert a_call().with_facts([first, second]) == a_call().with_facts([second, first])
