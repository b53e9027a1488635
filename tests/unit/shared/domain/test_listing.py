"""Pages made of two sources: nothing lost, nothing twice, in order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.listing import CallRow, Place, merged

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
numbers = st.sets(st.integers(0, 30))


def row(number: int, status: str) -> CallRow:
    # Several calls in the same second.
    return CallRow(f"c{number:02}", NOON + timedelta(seconds=number // 3), status, None)


def page(rows: list[CallRow], before: Place | None, limit: int) -> list[CallRow]:
    """What one store answers."""
    later = [r for r in rows if before is None or r.place < before]
    return sorted(later, key=lambda r: r.place, reverse=True)[:limit]


@given(numbers, numbers, st.integers(1, 7))
def test_following_the_pages_shows_each_call_once_and_the_remembered_row_of_it(
    live: set[int], remembered: set[int], limit: int
) -> None:
    stores = [row(n, "ended") for n in live], [row(n, "analysed") for n in remembered]
    seen: list[CallRow] = []
    before: Place | None = None
    while rows := merged(page(stores[0], before, limit), page(stores[1], before, limit), limit):
        seen += rows
        before = rows[-1].place
    assert [r.call_id for r in seen] == sorted(
        (f"c{n:02}" for n in live | remembered), reverse=True
    )
    assert {r.call_id for r in seen if r.status == "analysed"} == {f"c{n:02}" for n in remembered}
