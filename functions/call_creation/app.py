"""Creating a call, and stopping one.

The call is written before its message is sent: a crash in between leaves a queued call without a message, which the
reconciler sends again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime

from aws_lambda_powertools import Logger
from ulid import ULID

from functions.call_creation.requests import CallBody, from_number_of, lead_of
from shared.adapters.call_rate import CallRate
from shared.adapters.carrier import Carrier, CarrierError
from shared.adapters.dial_queue import DialQueue
from shared.adapters.directory import Directory
from shared.adapters.gatekeeper import Gatekeeper
from shared.adapters.live_calls import LiveCalls
from shared.adapters.live_items import StoredCall
from shared.domain.call import Call, CallStatus, Fact, FactKind
from shared.domain.clock import Clock
from shared.domain.errors import GateDenied, InvalidInput, KeyReused
from shared.domain.gate import Decision, Stage, may_show
from shared.domain.tenant import Purpose, Tenant

SOURCE = "api"


@dataclass(frozen=True, slots=True)
class CallDesk:
    """The use cases behind POST and DELETE /v1/calls."""

    clock: Clock
    directory: Directory
    live: LiveCalls
    rate: CallRate
    gatekeeper: Gatekeeper
    queue: DialQueue
    carrier: Carrier
    log: Logger

    def create(self, tenant_id: str, body: CallBody, idempotency_key: str) -> Call:
        """A queued call. Raises InvalidInput, NotFound, TooManyCalls, or CallDenied with the denied call on record."""
        now = self.clock.now()
        tenant = self.directory.tenant(tenant_id)
        agent_id = body.agent_id or tenant.current_agent
        if agent_id is None:
            raise InvalidInput("agent_id", "this tenant has no agent yet: put its facts first")
        agent = self.directory.agent_for_new_calls(tenant_id, agent_id)
        lead = lead_of(body)
        from_number = from_number_of(body) or _own_number(tenant, now)
        self.rate.take(tenant_id, tenant.calls_per_minute, now)
        decision = self.gatekeeper.ask(tenant, agent, lead, from_number, Stage.QUEUED)
        kind = FactKind.QUEUED if decision.allowed else FactKind.DENIED
        call = Call(
            call_id=_call_id(tenant_id, idempotency_key),
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
            call, decision = self._created_before(call, body)
        if call.status is CallStatus.DENIED and decision.reason is not None:
            raise CallDenied(call.call_id, decision)
        if call.may_dial():
            self.queue.send(call.call_id, tenant_id)
        return call

    def stop(self, tenant_id: str, call_id: str) -> Call:
        """Cancel or hang up. The wish is on record before the carrier is told; the reconciler completes it where
        the carrier did not answer. Raises NotFound, or CommandRefused where the call is over."""
        self.live.get_for(tenant_id, call_id)

        def wish(stored: StoredCall) -> Fact:
            attempt = stored.call.attempt
            return Fact(self.clock.now(), stored.stopping(), attempt, SOURCE)

        call = self.live.command(call_id, wish)
        try:
            self._tell_carrier(call)
        except CarrierError:
            keys = {"call_id": call_id, "tenant_id": tenant_id}
            self.log.warning("a stop did not go through; the reconciler completes it", extra=keys)
        return call

    def _created_before(self, wanted: Call, body: CallBody) -> tuple[Call, Decision]:
        """The call that an earlier request under the same key made, with its decision; that request is answered the
        same way. Raises KeyReused where it asked for something else."""
        call = self.live.get(wanted.call_id)
        as_asked = replace(
            wanted,
            created_at=call.created_at,
            trace_id=call.trace_id,
            # What the tenant left to us may have changed since.
            agent_id=wanted.agent_id if body.agent_id else call.agent_id,
            agent_version=call.agent_version,
            from_number=wanted.from_number if body.from_number else call.from_number,
            facts=call.facts,
        )
        if call != as_asked:
            raise KeyReused
        return call, self.live.decisions(call.call_id)[-1]

    def _tell_carrier(self, call: Call) -> None:
        sid = call.carrier_sid
        if sid is None or call.is_over:
            return
        if call.has(FactKind.HANG_UP_REQUESTED):
            self.carrier.hang_up(sid)
        else:
            self.carrier.cancel(sid)


class CallDenied(GateDenied):
    """The gate said no; the denied call is on record under its id."""

    def __init__(self, call_id: str, decision: Decision) -> None:
        reason = decision.reason.value if decision.reason else ""
        retry_at: datetime | None = decision.retry_at
        super().__init__(reason, retry_at)
        self.call_id = call_id


def _own_number(tenant: Tenant, now: datetime) -> str:
    """The first of the tenant's numbers that commercial calls may show. Raises InvalidInput."""
    for caller_id in tenant.caller_ids:
        if caller_id.purpose is Purpose.COMMERCIAL and may_show(caller_id, tenant, now):
            return caller_id.number
    raise InvalidInput(
        "from", "this tenant holds no number that commercial calls may show: add a caller ID first"
    )


def _call_id(tenant_id: str, idempotency_key: str) -> str:
    """The id follows from the key, so that even a repetition after a crash makes no second call."""
    digest = hashlib.sha256(f"{tenant_id}\n{idempotency_key}".encode()).digest()
    return str(ULID.from_bytes(digest[:16]))
