"""Dialling a call that waits: gate again, intent first, then the carrier, then what the carrier said.

A crash after the intent leaves a call whose dial is unknown. It is never dialled again blindly: the carrier's callback
(our id is in its path) or the reconciler settles it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from shared.adapters.capacity import MediaCapacity
from shared.adapters.carrier import (
    Carrier,
    CarrierBusy,
    CarrierRefused,
    CarrierUnknown,
    DialOrder,
)
from shared.adapters.directory import Directory
from shared.adapters.gatekeeper import Gatekeeper
from shared.adapters.live_calls import LiveCalls, NoSlot
from shared.adapters.twiml import Addresses, TokenTimes, first_document
from shared.domain.agent import Agent
from shared.domain.call import Call, Fact, FactKind
from shared.domain.clock import Clock
from shared.domain.errors import Refused
from shared.domain.gate import Reason, Stage
from shared.domain.tenant import Tenant

SOURCE = "dialer"


class Dialled(StrEnum):
    """What became of one message."""

    DONE = "done"
    NOT_NOW = "not_now"


@dataclass(frozen=True, slots=True)
class Dialer:
    clock: Clock
    directory: Directory
    live: LiveCalls
    gatekeeper: Gatekeeper
    carrier: Carrier
    capacity: MediaCapacity
    addresses: Addresses
    token_secret: bytes

    def dial(self, call_id: str) -> Dialled:
        """Dial a call, or say that it has to wait. A call that may not be dialled (any more) is done."""
        call = self.live.get(call_id)
        if not call.may_dial():
            return Dialled.DONE
        tenant = self.directory.tenant(call.tenant_id)
        agent = self.directory.agent(call.tenant_id, call.agent_id, call.agent_version)
        decision = self.gatekeeper.ask(tenant, agent, call.lead, call.from_number, Stage.DIAL)
        if decision.reason is Reason.CONCURRENCY or not self.capacity.has_room():
            return Dialled.NOT_NOW
        now = self.clock.now()
        if not decision.allowed:
            self.live.decide(call, decision)
            reason = decision.reason.value if decision.reason else ""
            self.live.record(call_id, [Fact(now, FactKind.DENIED, 0, SOURCE, reason)])
            return Dialled.DONE
        intent = Fact(now, FactKind.DIAL_INTENT, call.attempt + 1, SOURCE)
        try:
            call = self.live.begin_dial(call_id, intent, decision, tenant.concurrency)
        except NoSlot:
            return Dialled.NOT_NOW
        except Refused:
            return Dialled.DONE
        self.live.record(call_id, [self._place(call, tenant, agent)])
        return Dialled.DONE

    def _place(self, call: Call, tenant: Tenant, agent: Agent) -> Fact:
        """Ask the carrier once; its answer as a fact."""
        attempt = call.attempt
        try:
            sid = self.carrier.dial(self._order(call, tenant, agent))
        except CarrierRefused as refusal:
            kind, detail = FactKind.DIAL_REFUSED, str(refusal.code)
        except CarrierBusy:
            kind, detail = FactKind.DIAL_REFUSED, "busy"
        except CarrierUnknown:
            kind, detail = FactKind.DIAL_UNKNOWN, ""
        else:
            kind, detail = FactKind.DIAL_ACCEPTED, sid
        return Fact(self.clock.now(), kind, attempt, SOURCE, detail)

    def _order(self, call: Call, tenant: Tenant, agent: Agent) -> DialOrder:
        attempt, limits = call.attempt, agent.limits
        times = TokenTimes(limits.ring_s, limits.hard_s)
        callback = self.addresses.callback
        machine = callback(call.call_id, attempt, "machine") if tenant.machine_detection else None
        return DialOrder(
            to_number=call.to_number,
            from_number=call.from_number,
            twiml=first_document(
                self.addresses,
                self.token_secret,
                call.call_id,
                attempt,
                times,
                self.clock.now(),
            ),
            status_callback=callback(call.call_id, attempt, "status"),
            machine_callback=machine,
            ring_s=limits.ring_s,
            limit_s=limits.hard_s + 60,
        )
