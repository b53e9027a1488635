"""What happened between two images of a call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.adapters.codec import CorruptRecord
from shared.adapters.events import EventKind
from shared.adapters.stored_items import stored
from shared.domain.call import Call, CallStatus, FactKind


def images(record: Mapping[str, Any]) -> tuple[Call | None, Call | None]:
    """The call before and after a stream record; None before its creation, after its expiry, and for any other item.
    An older image that cannot be read counts as lost. Raises CorruptRecord where the newer one cannot."""
    change = record["dynamodb"]
    if change["Keys"]["sk"]["S"] != "META":
        return None, None
    return _older(change.get("OldImage")), _call(change.get("NewImage"))


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
    was_settled = old is not None and old.is_settled
    if new.is_settled and not was_settled:
        yield EventKind.ENDED
    if new.status is CallStatus.ANALYSED and before is not CallStatus.ANALYSED:
        yield EventKind.ANALYSED
    elif old is not None and was_settled and new.is_settled and _told(old) != _told(new):
        yield EventKind.AMENDED


def _told(call: Call) -> tuple[object, ...]:
    """What a report tells of the call's own course; the rest of it is settled with the conversation."""
    return (
        call.end_reason,
        call.answered_at,
        call.ended_at,
        call.talk_s,
        call.has(FactKind.MACHINE_VERDICT),
    )


def _call(image: Mapping[str, Any] | None) -> Call | None:
    return stored(Call, image) if image else None


def _older(image: Mapping[str, Any] | None) -> Call | None:
    try:
        return _call(image)
    except CorruptRecord:
        return None
