"""JSON that people send, read by a pydantic model; what is wrong is named by field, never by value."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from functions.edge import InvalidBody

T = TypeVar("T", bound=BaseModel)
# More would not help anybody.
MOST_ERRORS = 20
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_A_MOMENT = "write a date (2026-11-01) or a date with time and offset (2026-11-01T10:00:00+01:00)"


def _moment(value: object) -> datetime:
    """In UTC. A date means its beginning there; a time of day without an offset could be anybody's."""
    if not isinstance(value, str) or not value.isascii():
        raise ValueError(_A_MOMENT)
    try:
        if _DAY.fullmatch(value):
            return datetime.fromisoformat(value).replace(tzinfo=UTC)
        moment = datetime.fromisoformat(value)
        in_utc = moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(_A_MOMENT) from error
    if moment.tzinfo is None:
        raise ValueError("a time of day needs its offset: write 2026-11-01T10:00:00+01:00")
    return in_utc


Moment = Annotated[datetime, BeforeValidator(_moment)]


class StrictBody(BaseModel):
    """Unknown fields are refused: a misspelt one must not be ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def parsed(kind: type[T], body: object) -> T:
    """Raises InvalidBody with every wrong field."""
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False, include_context=False)
        fields = tuple(
            (".".join(str(part) for part in one["loc"]) or "body", str(one["msg"]))
            for one in found[:MOST_ERRORS]
        )
        raise InvalidBody(fields) from error
