"""Who may enter: a stream with a token of ours, for a call that is alive, taken by a lease that names its leg.

All of it happens on `start`, before a frame is taken or a model session is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from media_service.phone.wire import PhoneProtocolError, Start
from shared.adapters.directory import Directory
from shared.adapters.journal import Journal
from shared.adapters.leases import Lease, Leases
from shared.adapters.live_calls import LiveCalls
from shared.adapters.sounds import OpeningClips
from shared.domain.agent import Agent
from shared.domain.call import Call, Fact, FactKind
from shared.domain.clock import Clock
from shared.domain.conversation import Conversation
from shared.domain.errors import Refused
from shared.domain.journal import conversation, valid_entries
from shared.domain.opening_clip import OpeningClip
from shared.domain.stream_token import verified

SOURCE = "media_service"
_STOPS = (FactKind.CANCEL_REQUESTED, FactKind.HANG_UP_REQUESTED)


class AdmissionRefused(Refused):
    """The stream may not enter; the text says why, for the operator."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """A stream that entered. `elapsed_ms` is how long ago the phone was answered; `history` and `next_seq` go on
    from an earlier leg."""

    call: Call
    agent: Agent
    clip: OpeningClip
    lease: Lease
    stream_sid: str
    carrier_sid: str
    elapsed_ms: float
    history: Conversation | None
    next_seq: int


class Admission:
    """Blocking; runs in a worker thread."""

    def __init__(
        self,
        clock: Clock,
        live: LiveCalls,
        directory: Directory,
        leases: Leases,
        journal: Journal,
        clips: OpeningClips,
        task_id: str,
    ) -> None:
        self._clock = clock
        self._live = live
        self._directory = directory
        self._leases = leases
        self._journal = journal
        self._clips = clips
        self._task_id = task_id
        self._clip_cache: dict[tuple[str, str, int], OpeningClip] = {}

    def admit(self, start: Start, secrets: tuple[bytes, ...]) -> Admitted:
        """Raises TokenRefused, LeaseRefused, AdmissionRefused, PhoneProtocolError, NotFound or Unavailable."""
        media_format = start.media_format
        if media_format.encoding != "audio/x-mulaw" or media_format.sample_rate != 8_000:
            raise PhoneProtocolError("the stream's sound is not 8 kHz mu-law")
        now = self._clock.now()
        token = verified(start.custom_parameters.get("token", ""), secrets, now)
        call = self._live.get(token.call_id)
        if call.is_over or call.has(FactKind.CONVERSATION_CLOSED):
            raise AdmissionRefused("the call is over")
        if any(call.has(stop) for stop in _STOPS):
            raise AdmissionRefused("the call is to be ended")
        if call.attempt != token.attempt:
            raise AdmissionRefused("the stream belongs to an earlier dial attempt")
        lease = self._leases.take(token, start.call_sid, self._task_id, now)
        agent = self._directory.agent(call.tenant_id, call.agent_id, call.agent_version)
        history, next_seq = self._history(lease)
        self._live.record(call.call_id, [started_fact(token.attempt, lease, now)])
        return Admitted(
            call=call,
            agent=agent,
            clip=self._clip(agent),
            lease=lease,
            stream_sid=start.stream_sid,
            carrier_sid=start.call_sid,
            elapsed_ms=max(0.0, (now - lease.answered_at).total_seconds() * 1_000),
            history=history,
            next_seq=next_seq,
        )

    def _history(self, lease: Lease) -> tuple[Conversation | None, int]:
        if lease.fence == 1:
            return None, 1
        entries = valid_entries(self._journal.read(lease.call_id))
        return conversation(entries), max((entry.seq for entry in entries), default=0) + 1

    def _clip(self, agent: Agent) -> OpeningClip:
        key = (agent.tenant_id, agent.agent_id, agent.version)
        if key not in self._clip_cache:
            self._clip_cache[key] = self._clips.get(agent)
        return self._clip_cache[key]


def started_fact(attempt: int, lease: Lease, now: datetime) -> Fact:
    return Fact(now, FactKind.STREAM_STARTED, attempt, SOURCE, str(lease.fence))
