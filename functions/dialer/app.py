"""Dialling a call that waits: gate again, intent first, then the carrier, then what the carrier said.

A crash after the intent leaves a call whose dial is unknown. It is never dialled again blindly: the carrier's callback
(our id is in its path) or the reconciler settles it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from aws_lambda_powertools import Logger

from shared.adapters.capacity import MediaCapacity
from shared.adapters.carrier import (
    Carrier,
    CarrierBusy,
    CarrierError,
    CarrierLocked,
    CarrierRefused,
    CarrierUnknown,
    DialOrder,
)
from shared.adapters.directory import Directory
from shared.adapters.gatekeeper import Gatekeeper
from shared.adapters.live_calls import LiveCalls, NoSlot
from shared.adapters.live_items import StoredCall
from shared.adapters.twiml import Addresses, TokenTimes, first_document
from shared.domain.agent import Agent
from shared.domain.call import Call, Fact, FactKind
from shared.domain.clock import Clock
from shared.domain.errors import NotFound, Refused
from shared.domain.gate import Decision, Reason, Stage
from shared.domain.tenant import Tenant

SOURCE = "dialer"
# A carrier that does not process requests gets so many attempts in a row, about two minutes (functions/dialer/pace.py);
# those longer ago were made for another reason.
MAX_ATTEMPTS = 6
BUSY_FOR = timedelta(minutes=4)
# How often a waiting call is marked, so that the reconciler does not take it for a lost one.
MARK_EVERY = timedelta(seconds=20)


class Dialled(StrEnum):
    """What became of one message."""

    DONE = "done"
    NOT_NOW = "not_now"
    LOCKED_OUT = "locked_out"
    """The carrier does not accept our credentials: nobody can be called until a person has put that right."""


@dataclass(frozen=True, slots=True)
class Dialer:
    """`token_secret` is asked for each call: secrets rotate under a warm process."""

    clock: Clock
    directory: Directory
    live: LiveCalls
    gatekeeper: Gatekeeper
    carrier: Carrier
    capacity: MediaCapacity
    addresses: Addresses
    token_secret: Callable[[], bytes]
    log: Logger

    def dial(self, call_id: str) -> Dialled:
        """Dial a call, or say that it has to wait. A call that may not be dialled (any more) is done."""
        try:
            stored = self.live.stored(call_id)
        except NotFound:
            self.log.error("a message names a call that is not there", extra={"call_id": call_id})
            return Dialled.DONE
        call = stored.call
        if not stored.may_dial:
            return Dialled.DONE
        tenant = self.directory.tenant(call.tenant_id)
        agent = self.directory.agent(call.tenant_id, call.agent_id, call.agent_version)
        decision = self.gatekeeper.ask(tenant, agent, call.lead, call.from_number, Stage.DIAL)
        if not decision.allowed and decision.reason is not Reason.CONCURRENCY:
            return self._deny(call_id, decision)
        if not decision.allowed or not self.capacity.has_room():
            return self._wait(stored)
        intent = Fact(self.clock.now(), FactKind.DIAL_INTENT, call.attempt + 1, SOURCE)
        try:
            call = self.live.begin_dial(call_id, intent, decision, tenant.concurrency)
        except NoSlot:
            return self._wait(stored)
        except Refused:
            return Dialled.DONE
        return self._place(call, tenant, agent)

    def _wait(self, stored: StoredCall) -> Dialled:
        """No slot, or no room in the media service."""
        now = self.clock.now()
        if stored.looked_at is None or now - stored.looked_at > MARK_EVERY:
            self.live.touch(stored.call.call_id, now)
        return Dialled.NOT_NOW

    def _deny(self, call_id: str, decision: Decision) -> Dialled:
        def refusal(stored: StoredCall) -> Fact:
            if not stored.may_dial:
                raise Refused("the call is not waiting to be dialled")
            reason = decision.reason.value if decision.reason else ""
            # A call that was dialled once cannot become one that never was; its last attempt is what is refused.
            kind = FactKind.DIAL_REFUSED if stored.is_put_back else FactKind.DENIED
            return Fact(decision.decided_at, kind, stored.call.attempt, SOURCE, reason)

        try:
            self.live.command(call_id, refusal, decision)
        except Refused:
            # Somebody dialled or cancelled it meanwhile.
            return Dialled.DONE
        return Dialled.DONE

    def _place(self, call: Call, tenant: Tenant, agent: Agent) -> Dialled:
        """Ask the carrier once and put its answer on record."""
        attempt = call.attempt
        try:
            sid = self.carrier.dial(self._order(call, tenant, agent))
        except CarrierRefused as refusal:
            self._warn("the carrier refused a call", call, code=refusal.code)
            kind, detail = FactKind.DIAL_REFUSED, str(refusal.code)
        except CarrierLocked:
            return self._locked_out(call)
        except CarrierBusy:
            return self._carrier_busy(call)
        except CarrierUnknown:
            self._warn("a dial has an unknown result", call)
            kind, detail = FactKind.DIAL_UNKNOWN, ""
        else:
            kind, detail = FactKind.DIAL_ACCEPTED, sid
        now = self.clock.now()
        call = self.live.record(call.call_id, [Fact(now, kind, attempt, SOURCE, detail)])
        if kind is FactKind.DIAL_ACCEPTED and call.has(FactKind.CANCEL_REQUESTED):
            self._cancel(call, detail)
        return Dialled.DONE

    def _carrier_busy(self, call: Call) -> Dialled:
        """The request was not processed, so another attempt is no second call; a few are made."""
        self._warn("the carrier did not take a call", call, attempt=call.attempt)
        now = self.clock.now()
        if _attempts_since(call, now - BUSY_FOR) >= MAX_ATTEMPTS:
            fact = Fact(now, FactKind.DIAL_REFUSED, call.attempt, SOURCE, "busy")
            self.live.record(call.call_id, [fact])
            return Dialled.DONE
        return self._put_back(call, Dialled.NOT_NOW)

    def _locked_out(self, call: Call) -> Dialled:
        """Nothing is wrong with the call: it waits for a person to mend the credentials, as long as it may be made."""
        keys = {"call_id": call.call_id, "tenant_id": call.tenant_id}
        self.log.error("the carrier does not accept our credentials", extra=keys)
        return self._put_back(call, Dialled.LOCKED_OUT)

    def _put_back(self, call: Call, waiting: Dialled) -> Dialled:
        """The carrier processed nothing: the call waits again, `waiting` says for what."""
        if self.live.put_back(call.call_id, call.attempt):
            return waiting
        if self.live.get(call.call_id).has(FactKind.CANCEL_REQUESTED):
            # Cancelled meanwhile, and the carrier has nothing to cancel.
            fact = Fact(self.clock.now(), FactKind.CANCELED, call.attempt, SOURCE)
            self.live.record(call.call_id, [fact])
        return Dialled.DONE

    def _cancel(self, call: Call, sid: str) -> None:
        """The wish came while the carrier was being asked: nobody knew the carrier's id then."""
        try:
            self.carrier.cancel(sid)
        except CarrierError:
            self._warn("a cancel did not go through; the reconciler completes it", call)

    def _order(self, call: Call, tenant: Tenant, agent: Agent) -> DialOrder:
        attempt, limits = call.attempt, agent.limits
        times = TokenTimes(limits.ring_s, limits.hard_s)
        callback = self.addresses.callback
        machine = callback(call.call_id, attempt, "machine") if tenant.machine_detection else None
        return DialOrder(
            to_number=call.to_number,
            from_number=call.from_number,
            twiml=self._document(call, times, self.clock.now()),
            status_callback=callback(call.call_id, attempt, "status"),
            machine_callback=machine,
            ring_s=limits.ring_s,
            limit_s=limits.hard_s + 60,
        )

    def _document(self, call: Call, times: TokenTimes, now: datetime) -> str:
        secret = self.token_secret()
        return first_document(self.addresses, secret, call.call_id, call.attempt, times, now)

    def _warn(self, message: str, call: Call, **fields: object) -> None:
        keys = {"call_id": call.call_id, "tenant_id": call.tenant_id, **fields}
        self.log.warning(message, extra=keys)


def _attempts_since(call: Call, since: datetime) -> int:
    intents = (fact for fact in call.facts.values() if fact.kind is FactKind.DIAL_INTENT)
    return sum(intent.at >= since for intent in intents)
