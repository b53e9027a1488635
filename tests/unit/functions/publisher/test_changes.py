"""Which events a change of a call is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.publisher.changes import happened, images
from shared.adapters.call_report import report_of
from shared.adapters.codec import CorruptRecord, to_json
from shared.adapters.events import EventKind, call_event
from shared.domain.call import Call, CallStatus, Fact, FactKind
from shared.domain.lead import Lead
from tests.sample_calls import a_whole_call

NOW = datetime(2026, 11, 24, 9, 40, tzinfo=UTC)
K = FactKind


def a_call(*kinds: FactKind) -> Call:
    number = "+34600000001"
    call = Call("C", "t", "sofia", 1, number, "+34400000012", Lead(number), NOW, "trace")
    return call.with_facts(
        Fact(NOW + timedelta(seconds=n), kind, 1, "test") for n, kind in enumerate(kinds)
    )


def names(old: Call | None, new: Call | None) -> list[str]:
    return [kind.value.split(".")[1] for kind in happened(old, new)]


@pytest.mark.parametrize(
    ("old", "new", "events"),
    [
        (None, (K.QUEUED,), ["created"]),
        (None, (K.DENIED,), ["created", "denied"]),
        ((K.QUEUED,), (K.QUEUED, K.DENIED), ["status", "denied"]),
        ((K.QUEUED,), (K.QUEUED, K.DIAL_INTENT), ["status"]),
        ((K.QUEUED, K.DIAL_INTENT), (K.QUEUED, K.DIAL_INTENT, K.DIAL_ACCEPTED), []),
        ((K.RINGING,), (K.RINGING, K.BUSY), ["status", "ended"]),
        # The carrier's end does not end a conversation whose journal is open.
        ((K.STREAM_STARTED,), (K.STREAM_STARTED, K.COMPLETED), ["status"]),
        (
            (K.STREAM_STARTED, K.COMPLETED),
            (K.STREAM_STARTED, K.COMPLETED, K.CONVERSATION_CLOSED),
            ["ended"],
        ),
        ((K.BUSY,), (K.BUSY, K.ANALYSED), ["status", "analysed"]),
        # What is learnt after the end is said as well, if it changes anything.
        ((K.BUSY,), (K.BUSY, K.VOICEMAIL), ["amended"]),
        ((K.LOST,), (K.LOST, K.COMPLETED), ["amended"]),
        ((K.LOST, K.ANALYSED), (K.LOST, K.ANALYSED, K.COMPLETED), ["amended"]),
        ((K.COMPLETED,), (K.COMPLETED, K.RINGING), []),
        ((K.COMPLETED,), (K.COMPLETED, K.MACHINE_VERDICT, K.ANALYSED), ["status", "analysed"]),
        ((K.BUSY,), None, []),
        # The earlier images were lost: nothing of what they stood for is.
        (None, (K.QUEUED, K.BUSY, K.ANALYSED), ["created", "ended", "analysed"]),
    ],
)
def test_changes(
    old: tuple[FactKind, ...] | None, new: tuple[FactKind, ...] | None, events: list[str]
) -> None:
    assert names(a_call(*old) if old else None, a_call(*new) if new else None) == events


_OFTEN = (EventKind.STATUS, EventKind.AMENDED)


@given(st.permutations([k for k in FactKind if k is not K.QUEUED]), st.integers(0, 22))
def test_a_report_that_changes_after_the_end_is_announced(order: list[FactKind], n: int) -> None:
    old, new = a_call(K.QUEUED, *order[:n]), a_call(K.QUEUED, *order[: n + 1])
    if not (old.is_settled and new.is_settled) or new.status is CallStatus.DENIED:
        return
    before, after = (report_of(a_whole_call(call=call, analysis=None)) for call in (old, new))
    announced = {*happened(old, new)} & {EventKind.AMENDED, EventKind.ANALYSED}
    assert announced or before == after


def test_each_amendment_has_an_id_of_its_own_and_the_same_one_each_time() -> None:
    first, second = a_call(K.LOST, K.COMPLETED), a_call(K.LOST, K.COMPLETED, K.VOICEMAIL)
    ids = [call_event(EventKind.AMENDED, call).meta.id for call in (first, second, first)]
    assert ids[0] == ids[2] != ids[1]


@given(st.permutations([k for k in FactKind if k is not K.QUEUED]), st.integers(0, 22))
def test_whatever_the_order_each_event_of_a_call_has_one_id(
    order: list[FactKind], length: int
) -> None:
    kinds = order[:length]
    calls = [a_call(K.QUEUED, *kinds[:n]) for n in range(len(kinds) + 1)]
    changes = list(zip([None, *calls], calls, strict=False))
    seen = [(kind, new) for old, new in changes for kind in happened(old, new)]
    once = [(kind, call) for kind, call in seen if kind not in _OFTEN]
    ids = {call_event(kind, call).meta.id for kind, call in once}
    assert len(ids) == len({kind for kind, _ in once})
    # A stream that is reported after the end opens the books again; they are closed once more under the same id.
    late_stream = any(
        old is not None and old.is_settled and not new.is_settled for old, new in changes
    )
    repeated = [kind for kind, _ in seen if kind is EventKind.ENDED][1:]
    assert not repeated or late_stream


def test_the_same_change_has_the_same_id() -> None:
    call = a_call(K.QUEUED, K.BUSY)
    first, second = (call_event(EventKind.ENDED, call) for _ in range(2))
    assert first == second
    assert first.meta.id == "C:call.ended.v1"
    assert first.meta.at == NOW + timedelta(seconds=1)


def an_image(body: str, version: int = 1) -> dict[str, Any]:
    return {"body": {"S": body}, "v": {"N": str(version)}}


def a_record(sk: str, body: str | None) -> dict[str, Any]:
    image = {"NewImage": an_image(body)} if body is not None else {}
    return {"dynamodb": {"Keys": {"pk": {"S": "CALL#C"}, "sk": {"S": sk}}, **image}}


def test_images_of_calls_and_of_nothing_else() -> None:
    call = a_call(K.QUEUED)
    assert images(a_record("META", to_json(call))) == (None, call)
    assert images(a_record("J#00000001#0001", "{}")) == (None, None)
    assert images(a_record("META", None)) == (None, None)
    with pytest.raises(CorruptRecord):
        images(a_record("META", "{}"))


def test_an_image_of_newer_code_is_not_guessed_at() -> None:
    record = a_record("META", to_json(a_call(K.QUEUED)))
    record["dynamodb"]["NewImage"]["v"] = {"N": "2"}
    with pytest.raises(CorruptRecord, match="deploy newer code"):
        images(record)


def test_after_an_image_that_cannot_be_read_the_call_is_caught_up_with() -> None:
    call = a_call(K.QUEUED, K.BUSY)
    record = a_record("META", to_json(call))
    record["dynamodb"]["OldImage"] = an_image("{}")
    assert images(record) == (None, call)
    assert names(None, call) == ["created", "ended"]
