"""Every minute: finds calls that stand still and settles them.

Queued without a message: sent again. Dialled with an unknown result, or silent since: the carrier is asked. Hang-ups
and cancels that did not go through: completed. A conversation whose media task died and whose call is over: closed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger

from shared.adapters import aws_clients
from shared.adapters.carrier import Carrier, CarrierStatus, CarrierUnknown
from shared.adapters.clock import clock_from
from shared.adapters.dial_queue import DialQueue
from shared.adapters.leases import Leases
from shared.adapters.live_calls import LiveCalls
from shared.adapters.secrets import Secrets
from shared.config import environment, optional, required
from shared.domain.call import Call, CallStatus, Fact, FactKind
from shared.domain.clock import Clock

SOURCE = "reconciler"
STILL_FOR = timedelta(seconds=60)
# A dial that the carrier knows nothing of by then never happened.
NEVER_HAPPENED = timedelta(minutes=5)
_TERMINAL = {
    CarrierStatus.COMPLETED: FactKind.COMPLETED,
    CarrierStatus.BUSY: FactKind.BUSY,
    CarrierStatus.FAILED: FactKind.FAILED,
    CarrierStatus.NO_ANSWER: FactKind.NO_ANSWER,
    CarrierStatus.CANCELED: FactKind.CANCELED,
}


@dataclass(frozen=True, slots=True)
class Reconciler:
    clock: Clock
    live: LiveCalls
    leases: Leases
    queue: DialQueue
    carrier: Carrier
    log: Logger

    def run(self) -> int:
        """Looks at every call that stands still; gives how many it settled or moved."""
        moved = 0
        for call in self.live.unfinished(self.clock.now() - STILL_FOR):
            try:
                moved += self._settle(call)
            except CarrierUnknown:
                self.log.warning("the carrier does not answer", extra={"call_id": call.call_id})
        return moved

    def _settle(self, call: Call) -> int:
        if call.status is CallStatus.QUEUED:
            self.queue.send(call.call_id, call.tenant_id)
            return 1
        if call.is_over:
            return self._close(call)
        facts = self._ask_carrier(call)
        if facts:
            self.live.record(call.call_id, facts)
        return len(facts)

    def _close(self, call: Call) -> int:
        """Over, but the conversation was never closed: its task is gone once the lease has run out."""
        now = self.clock.now()
        if not self.leases.expired(call.call_id, now):
            return 0
        facts = [
            Fact(now, FactKind.CONVERSATION_CLOSED, call.attempt, SOURCE, "media_lost"),
            Fact(now, FactKind.DROPPED, call.attempt, SOURCE),
        ]
        self.live.record(call.call_id, facts)
        return 1

    def _ask_carrier(self, call: Call) -> list[Fact]:
        now, sid = self.clock.now(), call.carrier_sid
        intent = call.fact(FactKind.DIAL_INTENT)
        since = intent.at if intent else call.created_at
        if sid is None:
            found = self.carrier.find(call.to_number, since)
            if not found:
                if now - since > NEVER_HAPPENED:
                    return [Fact(now, FactKind.LOST, call.attempt, SOURCE)]
                return []
            sid = found[0].sid
        known = self.carrier.fetch(sid)
        if known is None:
            return [Fact(now, FactKind.LOST, call.attempt, SOURCE)]
        if known.status in _TERMINAL:
            return [Fact(now, _TERMINAL[known.status], call.attempt, SOURCE, sid)]
        if call.has(FactKind.HANG_UP_REQUESTED) or call.has(FactKind.CANCEL_REQUESTED):
            self.carrier.hang_up(sid)
        accepted = Fact(now, FactKind.DIAL_ACCEPTED, call.attempt, SOURCE, sid)
        return [] if call.carrier_sid else [accepted]


@cache
def compose() -> Reconciler:
    dynamodb = aws_clients.dynamodb()
    secrets = Secrets(aws_clients.secrets_manager())
    twilio = secrets.json(required("TWILIO_SECRET_ID"))
    return Reconciler(
        clock=clock_from(environment()),
        live=LiveCalls(dynamodb, required("LIVE_TABLE")),
        leases=Leases(dynamodb, required("LIVE_TABLE")),
        queue=DialQueue(aws_clients.sqs(), required("DIAL_QUEUE_URL")),
        carrier=Carrier(
            twilio["account_sid"],
            twilio["auth_token"],
            optional("TWILIO_API_BASE_URL") or None,
        ),
        log=Logger(service="reconciler"),
    )


def handler(_event: Mapping[str, Any], _context: object) -> dict[str, int]:
    return {"moved": compose().run()}
