"""What follows from the carrier's reports: facts on record, and the document that goes on where a stream ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aws_lambda_powertools import Logger

from functions.twilio_callbacks.reports import SOURCE, Address, fact_of
from shared.adapters.live_calls import LiveCalls
from shared.adapters.twiml import (
    MAX_LEGS,
    Addresses,
    TokenTimes,
    hang_up_document,
    next_document,
)
from shared.domain.call import Call, Fact, FactKind
from shared.domain.clock import Clock
from shared.domain.errors import NotFound

# A later leg's token must outlive the longest call.
_LEG_TIMES = TokenTimes(ring_s=60, limit_s=900)
_CLOSING = (
    FactKind.CONVERSATION_CLOSED,
    FactKind.HANG_UP_REQUESTED,
    FactKind.CANCEL_REQUESTED,
)


@dataclass(frozen=True, slots=True)
class ReportDesk:
    """Secrets are asked for each time: they rotate under a warm process."""

    clock: Clock
    live: LiveCalls
    addresses: Addresses
    auth_tokens: Callable[[], tuple[str, ...]]
    token_secret: Callable[[], bytes]
    log: Logger

    def report(self, address: Address, form: Mapping[str, str]) -> None:
        """Put a report on record; the same one again changes nothing. Raises NotFound."""
        if form.get("StreamEvent") == "stream-error":
            keys = {"call_id": address.call_id, "leg": address.leg}
            self.log.warning("a stream failed at the carrier", extra=keys)
        fact = fact_of(address, form, self.clock.now())
        if fact is not None:
            self.live.record(address.call_id, [fact])

    def after_stream(self, address: Address) -> str:
        """The stream of a leg is gone: a call in talk gets another, one that is over, closing or not here hangs up.
        Any other answer would make the carrier read an error message to the callee."""
        try:
            call = self.live.get(address.call_id)
        except NotFound:
            self.log.error("a stream ended for no call", extra={"call_id": address.call_id})
            return hang_up_document()
        if call.is_over or any(call.has(kind) for kind in _CLOSING):
            return hang_up_document()
        if address.leg >= MAX_LEGS:
            self._drop(call, address.attempt)
            return hang_up_document()
        return next_document(
            self.addresses,
            self.token_secret(),
            address.call_id,
            address.attempt,
            address.leg,
            _LEG_TIMES,
            self.clock.now(),
        )

    def _drop(self, call: Call, attempt: int) -> None:
        keys = {"call_id": call.call_id, "tenant_id": call.tenant_id}
        self.log.error("a call lost its last stream", extra=keys)
        fact = Fact(self.clock.now(), FactKind.DROPPED, attempt, SOURCE)
        self.live.record(call.call_id, [fact])
