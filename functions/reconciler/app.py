"""Calls that stand still are settled: the carrier is asked, what was lost is sent again, what is over is closed.

It is the last to know anything, so it never acts on what it read a while ago: each call is read anew, and what it finds
becomes facts like everybody else's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from aws_lambda_powertools import Logger

from shared.adapters.carrier import (
    REQUEST_S,
    Carrier,
    CarrierCall,
    CarrierError,
    CarrierLocked,
)
from shared.adapters.carrier_words import FACT_OF, happened_at
from shared.adapters.dial_queue import DialQueue
from shared.adapters.leases import Leases
from shared.adapters.live_calls import LiveCalls
from shared.adapters.live_items import SHARDS, StoredCall
from shared.domain.call import Call, CallStatus, Fact, FactKind
from shared.domain.clock import Clock
from shared.domain.errors import SofiaError

SOURCE = "reconciler"
STILL_FOR = timedelta(seconds=60)
# A message that nobody handled for so long is sent again even while the queue is full of others.
LOST_FOR = timedelta(minutes=15)
# A dial that the carrier knows nothing of by then never happened.
NEVER_HAPPENED = timedelta(minutes=5)
# Beyond its length limit, ringing and a minute's grace no call is in talk.
LONGEST_CALL = timedelta(minutes=20)
# After so many requests without an answer the rest waits for the next minute.
UNANSWERED = 3
# What one more call may cost where the carrier is slow: a fetch and both steps of a cancel, and the store.
LAST_CALL_MS = int(3 * REQUEST_S * 1_000) + 4_000
_STOPS = (FactKind.HANG_UP_REQUESTED, FactKind.CANCEL_REQUESTED)


@dataclass(frozen=True, slots=True)
class Reconciler:
    """What one run of a minute needs."""

    clock: Clock
    live: LiveCalls
    leases: Leases
    queue: DialQueue
    carrier: Carrier
    log: Logger

    def run(self, remaining_ms: Callable[[], int]) -> int:
        """Look at the calls that stand still, while there is time; gives how many were settled or moved. Each run
        begins with another shard, so that what there was no time for comes first another time."""
        now, moved, unanswered = self.clock.now(), 0, 0
        first_shard = int(now.timestamp() // 60) % SHARDS
        for call_id in self.live.standing_still(now - STILL_FOR, first_shard):
            if remaining_ms() < LAST_CALL_MS or unanswered >= UNANSWERED:
                self.log.warning("calls are left for the next run", extra={"moved": moved})
                break
            try:
                moved += self._settle(self.live.stored(call_id), now)
            except CarrierLocked:
                unanswered += 1
                keys = {"call_id": call_id}
                self.log.error("the carrier does not accept our credentials", extra=keys)
            except CarrierError:
                unanswered += 1
                self.log.warning("the carrier does not answer", extra={"call_id": call_id})
            except SofiaError as error:
                # One call that cannot be read or written must not hold up the others.
                keys = {"call_id": call_id, "error": type(error).__name__}
                self.log.error("a call could not be settled", extra=keys)
        return moved

    def _settle(self, stored: StoredCall, now: datetime) -> int:
        call = stored.call
        if call.is_settled:
            return 0
        if stored.may_dial:
            return self._send_again(stored, now)
        if call.is_over:
            return self._close(call, now)
        if not self._is_suspect(call, now):
            return 0
        facts = self._ask_carrier(call, now)
        changed = self.live.record(call.call_id, facts) if facts else call
        return int(changed is not call and changed != call)

    def _send_again(self, stored: StoredCall, now: datetime) -> int:
        """A call whose message was lost. While the queue is long, messages are late rather than lost."""
        looked_at = stored.looked_at or now
        if self.queue.backlog() > 0 and now - looked_at < LOST_FOR:
            return 0
        call = stored.call
        self.queue.send(call.call_id, call.tenant_id)
        self.live.touch(call.call_id, now)
        return 1

    def _close(self, call: Call, now: datetime) -> int:
        """Over, but the conversation was never closed: its task is gone once the lease has run out."""
        if not self.leases.expired(call.call_id, now):
            return 0
        facts = [Fact(now, FactKind.CONVERSATION_CLOSED, call.attempt, SOURCE, "media_lost")]
        if not any(call.has(kind) for kind in _STOPS):
            facts.append(Fact(now, FactKind.DROPPED, call.attempt, SOURCE))
        self.live.record(call.call_id, facts)
        self._warn("a conversation was closed for its lost task", call)
        return 1

    def _is_suspect(self, call: Call, now: datetime) -> bool:
        """Whether the carrier has to be asked: not while a media task holds a call in talk that nobody wants to end."""
        if call.status is not CallStatus.IN_PROGRESS or any(call.has(kind) for kind in _STOPS):
            return True
        answered_at = call.answered_at or now
        return now - answered_at > LONGEST_CALL or self.leases.expired(call.call_id, now)

    def _ask_carrier(self, call: Call, now: datetime) -> list[Fact]:
        attempt, sid = call.attempt, call.carrier_sid
        known = self.carrier.fetch(sid) if sid is not None else self._found(call)
        if known is None:
            return self._unknown_there(call, now)
        kind, at = FACT_OF[known.status], happened_at(known.ended_at, now)
        facts = [
            Fact(now, FactKind.DIAL_ACCEPTED, attempt, SOURCE, known.sid),
            Fact(at, kind, attempt, SOURCE, known.sid, known.talk_s),
        ]
        if known.status.is_live and any(call.has(stop) for stop in _STOPS):
            self._warn("a stop is completed", call)
            self.carrier.cancel(known.sid)
        return facts

    def _found(self, call: Call) -> CarrierCall | None:
        """The carrier's call behind a dial without an answer: the first between the two numbers since the intent
        that no other call of ours has."""
        intent = call.fact(FactKind.DIAL_INTENT)
        since = intent.at if intent else call.created_at
        found = self.carrier.find(call.to_number, call.from_number, since)
        if not found:
            return None
        others = self.live.of_tenant(call.tenant_id, 100)
        taken = {other.carrier_sid for other in others if other.call_id != call.call_id}
        return next((one for one in found if one.sid not in taken), None)

    def _unknown_there(self, call: Call, now: datetime) -> list[Fact]:
        """The carrier knows no such call; it may only be slow to say so."""
        intent = call.fact(FactKind.DIAL_INTENT)
        since = intent.at if intent else call.created_at
        if now - since <= NEVER_HAPPENED:
            return []
        self._warn("a call is lost", call)
        stopped = any(call.has(kind) for kind in _STOPS) and call.carrier_sid is None
        kind = FactKind.CANCELED if stopped else FactKind.LOST
        return [Fact(now, kind, call.attempt, SOURCE)]

    def _warn(self, message: str, call: Call) -> None:
        self.log.warning(message, extra={"call_id": call.call_id, "tenant_id": call.tenant_id})
