"""What the carrier's webhooks say, as facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.adapters.carrier_words import (
    FACT_OF,
    happened_at,
    seconds,
    webhook_time,
)
from shared.domain.call import Fact, FactKind
from shared.domain.errors import InvalidInput

SOURCE = "twilio"
_STREAM = {
    "stream-started": FactKind.STREAM_STARTED,
    "stream-stopped": FactKind.STREAM_ENDED,
    # Also where the handshake failed: the leg is gone either way.
    "stream-error": FactKind.STREAM_ENDED,
}


@dataclass(frozen=True, slots=True)
class Address:
    """Which webhook was called: `what` is `status`, `machine`, `stream` or `stream-ended`; `leg` is 0 without one."""

    call_id: str
    attempt: int
    what: str
    leg: int

    @classmethod
    def of(cls, parameters: Mapping[str, str]) -> Address:
        """From the path's parameters; raises InvalidInput."""
        what, _, leg = parameters.get("event", "").partition("/")
        attempt = parameters.get("attempt", "")
        if not attempt.isdecimal() or len(attempt) > 3:
            raise InvalidInput("attempt", "is the number of a dial attempt")
        if what not in ("status", "machine", "stream", "stream-ended"):
            raise InvalidInput("event", "there is no such webhook")
        if what.startswith("stream") and not (leg.isdecimal() and len(leg) <= 3):
            raise InvalidInput("leg", "is the number of a stream")
        return cls(parameters.get("call_id", ""), int(attempt), what, int(leg or "0"))


def fact_of(address: Address, form: Mapping[str, str], now: datetime) -> Fact | None:
    """The fact in a report, at the moment that the report names; `now` is when it arrived. None for what is new to
    us, which the carrier may send without notice."""
    at, attempt = happened_at(webhook_time(form.get("Timestamp", "")), now), address.attempt
    if address.what == "machine":
        return Fact(at, FactKind.MACHINE_VERDICT, attempt, SOURCE, form.get("AnsweredBy", ""))
    if address.what == "stream":
        stream = _STREAM.get(form.get("StreamEvent", ""))
        return Fact(at, stream, attempt, SOURCE, str(address.leg)) if stream else None
    status = FACT_OF.get(form.get("CallStatus", ""))
    if status is None:
        return None
    talk_s = seconds(form.get("CallDuration"))
    return Fact(at, status, attempt, SOURCE, form.get("CallSid", ""), talk_s)
