"""Creating a call, and stopping one.

The call is written before its message is sent: a crash in between leaves a queued call without a message, which the
reconciler sends again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from ulid import ULID

from functions.call_creation.requests import CallBody, lead_of
from shared.adapters.carrier import Carrier
from shared.adapters.dial_queue import DialQueue
from shared.adapters.directory import Directory
from shared.adapters.gatekeeper import Gatekeeper
from shared.adapters.live_calls import LiveCalls
from shared.domain.call import Call, Fact, FactKind
from shared.domain.clock import Clock
from shared.domain.errors import GateDenied, InvalidInput
from shared.domain.gate import Stage

SOURCE = "api"


@dataclass(frozen=True, slots=True)
class CallDesk:
    """The use cases behind POST and DELETE /v1/calls."""

    clock: Clock
    directory: Directory
    live: LiveCalls
    gatekeeper: Gatekeeper
    queue: DialQueue
    carrier: Carrier

    def create(self, tenant_id: str, body: CallBody, idempotency_key: str) -> Call:
        """A queued call. Raises InvalidInput, NotFound, or GateDenied with the denied call on record."""
        now = self.clock.now()
        tenant = self.directory.tenant(tenant_id)
        agent_id = body.agent_id or tenant.current_agent
        if agent_id is None:
            raise InvalidInput("agent_id", "this tenant has no agent yet: put its facts first")
        agent = self.directory.current_agent(tenant_id, agent_id)
        from_number = body.from_number or (tenant.caller_ids[0].number if tenant.caller_ids else "")
        lead = lead_of(body)
        decision = self.gatekeeper.ask(tenant, agent, lead, from_number, Stage.QUEUED)
        kind = FactKind.QUEUED if decision.allowed else FactKind.DENIED
        call_id = _call_id(tenant_id, idempotency_key)
        call = Call(
            call_id=call_id,
            tenant_id=tenant_id,
            agent_id=agent.agent_id,
            agent_version=agent.version,
            to_number=lead.phone,
            from_number=from_number,
            lead=lead,
            created_at=now,
            trace_id=str(ULID()),
            metadata=dict(body.metadata),
        ).with_fact(Fact(now, kind, 0, SOURCE))
        if not self.live.create(call, decision):
            call = self.live.get(call_id)
        if decision.reason is not None:
            raise CallDenied(call_id, decision.reason.value, decision.retry_at)
        if call.may_dial():
            self.queue.send(call.call_id, tenant_id)
        return call

    def stop(self, tenant_id: str, call_id: str) -> Call:
        """Cancel or hang up. The wish is on record before the carrier is told; the reconciler completes it where
        the carrier did not answer."""
        call = self.live.get_for(tenant_id, call_id)
        kind = call.cancellation()
        call = self.live.record(call_id, [Fact(self.clock.now(), kind, call.attempt, SOURCE)])
        sid = call.carrier_sid
        if sid is not None:
            if kind is FactKind.CANCEL_REQUESTED:
                self.carrier.cancel(sid)
            elif kind is FactKind.HANG_UP_REQUESTED:
                self.carrier.hang_up(sid)
        return call


class CallDenied(GateDenied):
    """The gate said no; the denied call is on record under its id."""

    def __init__(self, call_id: str, reason: str, retry_at: datetime | None) -> None:
        super().__init__(reason, retry_at)
        self.call_id = call_id


def _call_id(tenant_id: str, idempotency_key: str) -> str:
    """The id follows from the key, so that even a repetition after a crash makes no second call."""
    digest = hashlib.sha256(f"{tenant_id}\n{idempotency_key}".encode()).digest()
    return str(ULID.from_bytes(digest[:16]))
