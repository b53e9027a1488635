"""What the lists may be asked for: query strings read strictly, and cursors that only we can read.

A wrong value is refused with the parameter's name; the value itself is never repeated.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

from functions.edge import ID
from shared.adapters.history import FollowUpPlace, FollowUpQuery
from shared.domain.call import CallStatus
from shared.domain.conversation import FollowUpKind
from shared.domain.errors import InvalidInput
from shared.domain.listing import CallQuery, Place
from shared.domain.outcome import Outcome

MAX_PAGE, PAGE = 100, 20
_BEGINNING_OF_TIME = datetime(1970, 1, 1, tzinfo=UTC)
Choice = TypeVar("Choice", bound=StrEnum)


def call_query(given: Mapping[str, str]) -> CallQuery:
    """Of `limit`, `cursor`, `status`, `outcome`, `from`, `to`. Raises InvalidInput."""
    _only(given, "limit", "cursor", "status", "outcome", "from", "to")
    before = None
    if "cursor" in given:
        created_at, (call_id,) = _opened(given["cursor"], 1)
        before = Place(created_at or _BEGINNING_OF_TIME, call_id)
    since, until = _period(given)
    if before is not None and since is not None and before.created_at < since:
        raise InvalidInput("cursor", "this page belongs to a list from an earlier moment on")
    return CallQuery(
        limit=_limit(given),
        before=before,
        status=_choice(given, "status", CallStatus),
        outcome=_choice(given, "outcome", Outcome),
        since=since,
        until=until,
    )


def follow_up_query(given: Mapping[str, str]) -> FollowUpQuery:
    """Of `limit`, `cursor`, `kind`, `from`, `to` (when the promise is due). Raises InvalidInput."""
    _only(given, "limit", "cursor", "kind", "from", "to")
    after = None
    if "cursor" in given:
        due_at, (call_id, follow_up_id) = _opened(given["cursor"], 2)
        after = FollowUpPlace(due_at, call_id, follow_up_id)
    since, until = _period(given)
    return FollowUpQuery(
        limit=_limit(given),
        after=after,
        kind=_choice(given, "kind", FollowUpKind),
        since=since,
        until=until,
    )


def call_cursor(place: Place) -> str:
    return _sealed(place.created_at.isoformat(), place.call_id)


def follow_up_cursor(place: FollowUpPlace) -> str:
    due_at = place.due_at.isoformat() if place.due_at else None
    return _sealed(due_at, place.call_id, place.follow_up_id)


def _only(given: Mapping[str, str], *names: str) -> None:
    for name in given:
        if name not in names:
            # The name may be anything: it is not repeated either.
            raise InvalidInput("query", f"this list knows {', '.join(names)}")


def _limit(given: Mapping[str, str]) -> int:
    text = given.get("limit", str(PAGE))
    if not (text.isascii() and text.isdigit() and len(text) < 4 and 1 <= int(text) <= MAX_PAGE):
        raise InvalidInput("limit", f"is a number from 1 to {MAX_PAGE}")
    return int(text)


def _choice(given: Mapping[str, str], name: str, choices: type[Choice]) -> Choice | None:
    if name not in given:
        return None
    try:
        return choices(given[name])
    except ValueError as error:
        raise InvalidInput(name, f"is one of {', '.join(choices)}") from error


def _period(given: Mapping[str, str]) -> tuple[datetime | None, datetime | None]:
    """Stores refuse a period that ends before it begins."""
    since, until = _moment(given, "from"), _moment(given, "to")
    if since is not None and until is not None and since >= until:
        raise InvalidInput("to", "is later than from")
    return since, until


def _moment(given: Mapping[str, str], name: str) -> datetime | None:
    """A day means its beginning. Without an offset it is UTC."""
    if name not in given:
        return None
    try:
        # A plus sign that was not encoded arrives as a blank.
        return _in_utc(datetime.fromisoformat(given[name].replace(" ", "+")))
    except (ValueError, OverflowError) as error:
        raise InvalidInput(name, "is a time as 2026-11-24T09:00:00Z, or a day") from error


def _sealed(*parts: str | None) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def _opened(cursor: str, count: int) -> tuple[datetime | None, list[str]]:
    """The moment and the ids that `_sealed` put in; raises InvalidInput for anything else."""
    try:
        moment, *ids = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if len(ids) == count and all(ID.fullmatch(one) for one in ids):
            return None if moment is None else _in_utc(datetime.fromisoformat(moment)), ids
    except (ValueError, TypeError, OverflowError):
        pass
    raise InvalidInput("cursor", "use the next_cursor of the page before, as it is")


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
