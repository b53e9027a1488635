"""Query strings of the lists: read strictly, refused by name, never repeated."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.reports.queries import (
    call_cursor,
    call_query,
    follow_up_cursor,
    follow_up_query,
)
from shared.adapters.history import FollowUpPlace
from shared.domain.call import CallStatus
from shared.domain.conversation import FollowUpKind
from shared.domain.errors import InvalidInput
from shared.domain.listing import Place
from shared.domain.outcome import Outcome

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_everything_that_may_be_asked() -> None:
    query = call_query(
        {
            "limit": "7",
            "status": "ended",
            "outcome": "qualified",
            "from": "2026-11-24",
            # The client did not encode its plus sign.
            "to": "2026-11-25T10:00:00 01:00",
            "cursor": call_cursor(Place(NOON, "c1")),
        }
    )
    assert (query.limit, query.status, query.outcome) == (7, CallStatus.ENDED, Outcome.QUALIFIED)
    assert query.since == datetime(2026, 11, 24, tzinfo=UTC)
    assert query.until == datetime(2026, 11, 25, 9, tzinfo=UTC)
    assert query.before == Place(NOON, "c1")


@pytest.mark.parametrize("due_at", [NOON, None])
def test_promises_have_cursors_of_their_own(due_at: datetime | None) -> None:
    place = FollowUpPlace(due_at, "c1", "callback")
    query = follow_up_query({"kind": "demo", "cursor": follow_up_cursor(place)})
    assert (query.after, query.kind, query.limit) == (place, FollowUpKind.DEMO, 20)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "0"),
        ("limit", "101"),
        ("limit", "-1"),
        ("limit", "٣"),
        ("limit", "9" * 5_000),
        ("status", "SECRET"),
        ("outcome", ""),
        ("from", "SECRET"),
        ("to", "0001-01-01T00:00:00+14:00"),
        ("cursor", "SECRET"),
        ("cursor", "ä"),
        ("cursor", base64.urlsafe_b64encode(b'["2026-11-24T12:00:00Z", "a\\u0000"]').decode()),
        ("cursor", base64.urlsafe_b64encode(b'["9999-12-31T23:00:00-10:00", "a"]').decode()),
        ("cursor", base64.urlsafe_b64encode(b"[7, 8]").decode()),
        ("cursor", base64.urlsafe_b64encode(b'{"a": 1}').decode()),
        ("cursor", base64.urlsafe_b64encode(b"7").decode()),
    ],
)
def test_a_wrong_value_is_refused_by_its_name(name: str, value: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        call_query({name: value})
    assert refused.value.field == name
    assert "SECRET" not in str(refused.value)


@pytest.mark.parametrize("read", [call_query, follow_up_query])
@pytest.mark.parametrize("until", ["2026-11-01", "2026-12-01", "2026-12-01T00:30:00+01:00"])
def test_a_period_that_ends_before_it_begins_is_refused(read, until) -> None:
    with pytest.raises(InvalidInput) as refused:
        read({"from": "2026-12-01", "to": until})
    assert refused.value.field == "to"


def test_a_page_before_the_beginning_is_refused() -> None:
    cursor = call_cursor(Place(NOON, "c1"))
    assert call_query({"from": "2026-11-24", "cursor": cursor}).before is not None
    with pytest.raises(InvalidInput) as refused:
        call_query({"from": "2026-11-25", "cursor": cursor})
    assert refused.value.field == "cursor"


@pytest.mark.parametrize("read", [call_query, follow_up_query])
def test_a_parameter_that_does_not_exist_is_no_filter_that_is_ignored(read) -> None:
    with pytest.raises(InvalidInput) as refused:
        read({"statsu": "ended"})
    assert "statsu" not in str(refused.value)


@given(st.text(max_size=60))
def test_no_cursor_breaks_the_reader(text: str) -> None:
    for read in (call_query, follow_up_query):
        try:
            read({"cursor": text})
        except InvalidInput as refused:
            assert refused.field == "cursor"
