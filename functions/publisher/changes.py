"""What happened between two images of a call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.adapters.codec import from_json
from shared.adapters.events import EventKind
from shared.domain.call import Call, CallStatus


def images(record: Mapping[str, Any]) -> tuple[Call | None, Call | None]:
    """The call before and after a stream record; None before its creation, after its expiry, and for any other item.
    Raises CorruptRecord."""
    change = record["dynamodb"]
    if change["Keys"]["sk"]["S"] != "META":
        return None, None
    return _call(change.get("OldImage")), _call(change.get("NewImage"))


def happened(old: Call | None, new: Call | None) -> Iterator[EventKind]:
    """The events in a change, in order. A call that was already there when its first image comes is caught up with:
    the older images were lost, not what they stood for."""
    if new is None:
        return
    before = old.status if old is not None else None
    if old is None:
        yield EventKind.CREATED
    elif new.status is not before:
        yield EventKind.STATUS
    if new.status is CallStatus.DENIED:
        if before is not CallStatus.DENIED:
            yield EventKind.DENIED
        return
    if new.is_settled and not (old is not None and old.is_settled):
        yield EventKind.ENDED
    if new.status is CallStatus.ANALYSED and before is not CallStatus.ANALYSED:
        yield EventKind.ANALYSED


def _call(image: Mapping[str, Any] | None) -> Call | None:
    return from_json(Call, image["body"]["S"]) if image else None
