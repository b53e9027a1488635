"""Domain values as JSON text and back, typed and strict.

msgspec reads frozen dataclasses, enums, dates and tuples as they are and costs a tenth of what pydantic's import does,
which matters in functions that answer a carrier's callback. Pydantic stays at the edges where people send JSON.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from shared.domain.errors import SofiaError

T = TypeVar("T")


class CorruptRecord(SofiaError):
    """A stored record is not what this version of the code understands."""


def to_json(value: object) -> str:
    """Any domain value as compact JSON."""
    return msgspec.json.encode(value).decode()


def from_json(kind: type[T], text: str | bytes) -> T:
    """The value of type `kind` that `to_json` wrote; raises CorruptRecord."""
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise CorruptRecord(f"a stored {kind.__name__} cannot be read: {error}") from error
