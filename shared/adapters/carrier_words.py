"""The carrier's words, whether its webhooks or its REST API say them: what a call's state stands for as a fact, and
when a thing happened."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from types import MappingProxyType

from shared.domain.call import FactKind


class CarrierStatus(StrEnum):
    """A call's state. Only webhooks say `initiated`; the API says `queued` until the phone rings."""

    QUEUED = "queued"
    INITIATED = "initiated"
    RINGING = "ringing"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    BUSY = "busy"
    FAILED = "failed"
    NO_ANSWER = "no-answer"
    CANCELED = "canceled"

    @property
    def is_live(self) -> bool:
        """Not over yet."""
        return self in _LIVE


_LIVE = frozenset(
    {
        CarrierStatus.QUEUED,
        CarrierStatus.INITIATED,
        CarrierStatus.RINGING,
        CarrierStatus.IN_PROGRESS,
    }
)
FACT_OF: Mapping[str, FactKind] = MappingProxyType(
    {
        CarrierStatus.QUEUED: FactKind.INITIATED,
        CarrierStatus.INITIATED: FactKind.INITIATED,
        CarrierStatus.RINGING: FactKind.RINGING,
        CarrierStatus.IN_PROGRESS: FactKind.ANSWERED,
        CarrierStatus.COMPLETED: FactKind.COMPLETED,
        CarrierStatus.BUSY: FactKind.BUSY,
        CarrierStatus.FAILED: FactKind.FAILED,
        CarrierStatus.NO_ANSWER: FactKind.NO_ANSWER,
        CarrierStatus.CANCELED: FactKind.CANCELED,
    }
)
# Our clock may be behind the carrier's by so much; what it says of a later moment cannot be true.
AHEAD = timedelta(seconds=60)
# No report is under way for longer.
BEHIND = timedelta(days=1)


def happened_at(said: datetime | None, learnt_at: datetime) -> datetime:
    """The moment the carrier names, so that a report says the same whenever it arrives; the moment at which we learnt
    of it where it names none, or one that cannot be."""
    if said is None or not learnt_at - BEHIND <= said <= learnt_at + AHEAD:
        return learnt_at
    return said


def webhook_time(text: str) -> datetime | None:
    """The `Timestamp` of a webhook: RFC 2822 in those about calls, ISO 8601 in those about streams. None where it is
    missing or unreadable."""
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = read(text)
        except ValueError:
            continue
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return None


def seconds(text: str | None) -> int | None:
    """A duration as the carrier writes it, in whole seconds; None where it is missing or unreadable."""
    return int(text) if text and text.isdecimal() and len(text) < 7 else None
