"""The life of a call: facts are recorded, status and end reason follow from them.

Carriers report twice, late, out of order or never. So nothing here sets a status: each report is a `Fact` that says
when the thing itself happened, the record keeps the best of each, and every property is a function of the set. Any
order and any repetition of the same facts gives the same record.

    queued → dialing → ringing → in_progress → ended → analysed        denied (the gate said no)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from shared.domain.errors import CommandRefused
from shared.domain.lead import Lead


class CallStatus(StrEnum):
    QUEUED = "queued"
    DENIED = "denied"
    DIALING = "dialing"
    RINGING = "ringing"
    IN_PROGRESS = "in_progress"
    ENDED = "ended"
    ANALYSED = "analysed"


class EndReason(StrEnum):
    COMPLETED = "completed"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    FAILED = "failed"
    CANCELED = "canceled"
    VOICEMAIL = "voicemail"
    DROPPED = "dropped"
    UNKNOWN = "unknown"


class FactKind(StrEnum):
    """Everything that can be known about a call from outside the conversation."""

    QUEUED = "queued"
    DENIED = "denied"
    DIAL_INTENT = "dial_intent"
    DIAL_ACCEPTED = "dial_accepted"
    DIAL_REFUSED = "dial_refused"
    DIAL_UNKNOWN = "dial_unknown"
    INITIATED = "initiated"
    RINGING = "ringing"
    ANSWERED = "answered"
    MACHINE_VERDICT = "machine_verdict"
    STREAM_STARTED = "stream_started"
    STREAM_ENDED = "stream_ended"
    CONVERSATION_CLOSED = "conversation_closed"
    CANCEL_REQUESTED = "cancel_requested"
    HANG_UP_REQUESTED = "hang_up_requested"
    VOICEMAIL = "voicemail"
    DROPPED = "dropped"
    COMPLETED = "completed"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    FAILED = "failed"
    CANCELED = "canceled"
    LOST = "lost"
    ANALYSED = "analysed"


_RANK: Mapping[FactKind, CallStatus] = MappingProxyType(
    {
        FactKind.QUEUED: CallStatus.QUEUED,
        FactKind.DENIED: CallStatus.DENIED,
        FactKind.DIAL_INTENT: CallStatus.DIALING,
        FactKind.DIAL_ACCEPTED: CallStatus.DIALING,
        FactKind.DIAL_UNKNOWN: CallStatus.DIALING,
        FactKind.INITIATED: CallStatus.DIALING,
        FactKind.RINGING: CallStatus.RINGING,
        FactKind.ANSWERED: CallStatus.IN_PROGRESS,
        FactKind.STREAM_STARTED: CallStatus.IN_PROGRESS,
        FactKind.STREAM_ENDED: CallStatus.IN_PROGRESS,
        FactKind.CONVERSATION_CLOSED: CallStatus.IN_PROGRESS,
        FactKind.COMPLETED: CallStatus.ENDED,
        FactKind.BUSY: CallStatus.ENDED,
        FactKind.NO_ANSWER: CallStatus.ENDED,
        FactKind.FAILED: CallStatus.ENDED,
        FactKind.CANCELED: CallStatus.ENDED,
        FactKind.LOST: CallStatus.ENDED,
        FactKind.DIAL_REFUSED: CallStatus.ENDED,
        FactKind.ANALYSED: CallStatus.ANALYSED,
    }
)
_ORDER = (
    CallStatus.QUEUED,
    CallStatus.DENIED,
    CallStatus.DIALING,
    CallStatus.RINGING,
    CallStatus.IN_PROGRESS,
    CallStatus.ENDED,
    CallStatus.ANALYSED,
)
# The first of these that is on record names the end; the first two refine what the carrier calls "completed".
_END_PRECEDENCE = (
    (FactKind.VOICEMAIL, EndReason.VOICEMAIL),
    (FactKind.DROPPED, EndReason.DROPPED),
    (FactKind.COMPLETED, EndReason.COMPLETED),
    (FactKind.BUSY, EndReason.BUSY),
    (FactKind.NO_ANSWER, EndReason.NO_ANSWER),
    (FactKind.FAILED, EndReason.FAILED),
    (FactKind.CANCELED, EndReason.CANCELED),
    (FactKind.DIAL_REFUSED, EndReason.FAILED),
    (FactKind.LOST, EndReason.UNKNOWN),
)


@dataclass(frozen=True, slots=True)
class Fact:
    """One report about a call. `at` is when it happened, by the clock of whoever saw it; `detail` is short and holds no
    personal data: the carrier's SID, a code, a leg. `talk_s` comes with an end: how long the carrier says that the
    call was answered, in whole seconds, None where it does not say."""

    at: datetime
    kind: FactKind
    attempt: int = 1
    source: str = ""
    detail: str = ""
    talk_s: int | None = None

    @property
    def key(self) -> str:
        """Two reports with the same key are the same fact."""
        suffix = f"#{self.detail}" if self.kind in _KEYED_BY_DETAIL else ""
        return f"{self.kind.value}#{self.attempt}{suffix}"

    @property
    def order(self) -> tuple[bool, datetime, str, str, int]:
        """Of two reports of the same fact the smaller one counts: the one that knows the carrier's seconds, then the
        earlier. The rest only makes the order total, so that no two different reports are equal."""
        return (self.talk_s is None, self.at, self.source, self.detail, self.talk_s or 0)


_KEYED_BY_DETAIL = frozenset({FactKind.STREAM_STARTED, FactKind.STREAM_ENDED})


@dataclass(frozen=True, slots=True)
class Call:
    """A call and the facts known about it. Created once with QUEUED or DENIED; grows by `with_fact` alone."""

    call_id: str
    tenant_id: str
    agent_id: str
    agent_version: int
    to_number: str
    from_number: str
    lead: Lead
    created_at: datetime
    trace_id: str
    campaign_id: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Fact] = field(default_factory=dict)

    def with_fact(self, fact: Fact) -> Call:
        """The call with `fact` on record. Of two reports with the same key the smaller stays (`Fact.order`), so that
        order and repetition make no difference; returns `self` if nothing changes."""
        known = self.facts.get(fact.key)
        if known is not None and known.order <= fact.order:
            return self
        return replace(self, facts={**self.facts, fact.key: fact})

    def with_facts(self, facts: Iterable[Fact]) -> Call:
        call = self
        for fact in facts:
            call = call.with_fact(fact)
        return call

    def has(self, kind: FactKind) -> bool:
        return any(fact.kind is kind for fact in self.facts.values())

    def fact(self, kind: FactKind) -> Fact | None:
        """The fact of this kind from the latest attempt, the earliest of its details."""
        found = [fact for fact in self.facts.values() if fact.kind is kind]
        if not found:
            return None
        attempt = max(fact.attempt for fact in found)
        latest = [fact for fact in found if fact.attempt == attempt]
        return min(latest, key=lambda fact: (fact.at, fact.detail))

    @property
    def attempt(self) -> int:
        """The latest dial attempt, 0 before the first."""
        return max(
            (f.attempt for f in self.facts.values() if f.kind is FactKind.DIAL_INTENT),
            default=0,
        )

    @property
    def status(self) -> CallStatus:
        """The highest rank among the facts."""
        ranks = [_ORDER.index(_RANK[f.kind]) for f in self.facts.values() if f.kind in _RANK]
        return _ORDER[max(ranks, default=0)]

    @property
    def end_reason(self) -> EndReason | None:
        """By fixed precedence over the terminal facts; None while the call is not over."""
        if self.status not in (CallStatus.ENDED, CallStatus.ANALYSED):
            return None
        for kind, reason in _END_PRECEDENCE:
            if self.has(kind):
                return reason
        return EndReason.UNKNOWN

    @property
    def is_over(self) -> bool:
        return self.status in (CallStatus.DENIED, CallStatus.ENDED, CallStatus.ANALYSED)

    @property
    def is_settled(self) -> bool:
        """Over, and nothing more of the conversation can come: it never began, or its journal is closed."""
        talked = self.has(FactKind.STREAM_STARTED)
        closed = self.has(FactKind.CONVERSATION_CLOSED) or self.has(FactKind.LOST)
        return self.is_over and (closed or not talked)

    @property
    def carrier_sid(self) -> str | None:
        """The carrier's id of the latest attempt, whoever reported it first."""
        for kind in (
            FactKind.DIAL_ACCEPTED,
            FactKind.INITIATED,
            FactKind.RINGING,
            FactKind.ANSWERED,
        ):
            fact = self.fact(kind)
            if fact is not None and fact.attempt == self.attempt and fact.detail:
                return fact.detail
        return None

    @property
    def end(self) -> Fact | None:
        """The fact that ended the call: what the carrier said before what we concluded."""
        found = (
            self.fact(kind) for kind, _ in _END_PRECEDENCE if _RANK.get(kind) is CallStatus.ENDED
        )
        return next((fact for fact in found if fact is not None), None)

    @property
    def answered_at(self) -> datetime | None:
        """The earliest sign of an answer, and never after the end. The carrier's end knows it as well: a call of 81
        seconds was answered 81 seconds before it ended."""
        end = self.end
        answered, streamed = self.fact(FactKind.ANSWERED), self.fact(FactKind.STREAM_STARTED)
        signs = [fact.at for fact in (answered, streamed) if fact is not None]
        if end is not None and end.talk_s:
            signs.append(end.at - timedelta(seconds=end.talk_s))
        if not signs:
            return None
        return min([*signs, end.at] if end is not None else signs)

    @property
    def ended_at(self) -> datetime | None:
        return self.end.at if self.end else None

    @property
    def talk_s(self) -> float:
        """How long the call was answered, which is what the carrier bills: by its own account where it gave one. 0
        while the call is not over, and where nobody answered."""
        end, answered_at = self.end, self.answered_at
        if end is None:
            return 0.0
        if end.talk_s is not None:
            return float(end.talk_s)
        return (end.at - answered_at).total_seconds() if answered_at is not None else 0.0

    def cancellation(self) -> FactKind:
        """The fact by which this call is to be stopped now: CANCELED while it waits, CANCEL_REQUESTED while it is
        dialled or rings, HANG_UP_REQUESTED in talk. Raises CommandRefused once it is over."""
        if self.is_over:
            raise CommandRefused(
                f"the call is over ({self.status.value}); there is nothing to stop"
            )
        if self.status is CallStatus.QUEUED:
            return FactKind.CANCELED
        if self.status is CallStatus.IN_PROGRESS:
            return FactKind.HANG_UP_REQUESTED
        return FactKind.CANCEL_REQUESTED

    def may_dial(self) -> bool:
        """Whether a dial attempt may begin: waiting, and never attempted with an outcome that could be a call."""
        return self.status is CallStatus.QUEUED and not self.has(FactKind.CANCELED)
