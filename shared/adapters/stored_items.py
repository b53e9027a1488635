"""What items of every table have in common: a schema version that is checked on read, and writes under a condition."""

from __future__ import annotations

from typing import Any, TypeVar

from botocore.exceptions import ClientError

from shared.adapters.codec import CorruptRecord, from_json

SCHEMA_VERSION = 1
VERSION_ATTRIBUTE = {"v": {"N": str(SCHEMA_VERSION)}}
T = TypeVar("T")


def stored(kind: type[T], item: Any, attribute: str = "body") -> T:
    """The value in an item's attribute. Raises CorruptRecord where it is missing or unreadable, and where newer code
    wrote the item: guessing at what it means could undo what that code knows."""
    try:
        version, text = int(item["v"]["N"]), item[attribute]["S"]
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptRecord(f"a stored {kind.__name__} lacks `v` or `{attribute}`") from error
    if version > SCHEMA_VERSION:
        raise CorruptRecord(f"a stored {kind.__name__} has version {version}: deploy newer code")
    return from_json(kind, text)


def is_condition_failed(error: ClientError) -> bool:
    """Whether a write was refused by its own condition."""
    return error.response["Error"]["Code"] == "ConditionalCheckFailedException"
