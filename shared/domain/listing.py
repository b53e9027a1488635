"""A tenant's calls as a list: what may be asked for, one row, and one page made of two sources.

Calls lie in two stores while the projection runs behind by seconds: a page is the youngest rows of both.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from shared.domain.call import CallStatus
from shared.domain.outcome import Outcome


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where in a list a call stands. Lists run from the youngest to the oldest."""

    created_at: datetime
    call_id: str


@dataclass(frozen=True, slots=True)
class CallQuery:
    """A tenant's calls created in `[since, until)` and after (that is, older than) `before`. None asks for all."""

    limit: int
    before: Place | None = None
    status: CallStatus | None = None
    outcome: Outcome | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class CallRow:
    """One call in a list. `outcome`, `next_step` and `cost_usd` are None until the call is remembered."""

    call_id: str
    created_at: datetime
    status: str
    end_reason: str | None
    outcome: str | None = None
    next_step: str | None = None
    cost_usd: Decimal | None = None

    @property
    def place(self) -> Place:
        return Place(self.created_at, self.call_id)


def merged(live: Iterable[CallRow], remembered: Iterable[CallRow], limit: int) -> list[CallRow]:
    """The first `limit` rows of both sources, each of which gives its own first `limit`. Of a call in both the
    remembered row counts: it knows more."""
    rows = {row.call_id: row for row in live} | {row.call_id: row for row in remembered}
    return sorted(rows.values(), key=lambda row: row.place, reverse=True)[:limit]
