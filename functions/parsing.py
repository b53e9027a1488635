"""JSON that people send, read by a pydantic model; what is wrong is named by field, never by value."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from functions.edge import InvalidBody

T = TypeVar("T", bound=BaseModel)
# More would not help anybody.
MOST_ERRORS = 20


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
