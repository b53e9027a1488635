"""Who may enter: a stream with a token of ours, for a call that is alive, taken by a lease that names its leg.

All of it happens on `start`, before a frame is taken. `identify` says whose call it is; from then on the model's
session may be prepared, while `enter` takes the call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from media_service.phone.wire import PhoneProtocolError, Start
from media_service.worker_threads import WorkerThreads
from shared.adapters.directory import Directory
from shared.adapters.journal import Journal
from shared.adapters.leases import Lease, Leases
from shared.adapters.live_calls import LiveCalls
from shared.adapters.sounds import OpeningClips
from shared.domain.agent import Agent
from shared.domain.call import Call, Fact, FactKind
from shared.domain.conversation import Conversation, Who
from shared.domain.errors import Refused
from shared.domain.journal import Closed, conversation, valid_entries
from shared.domain.opening_clip import OpeningClip
from shared.domain.stream_token import StreamToken, verified

SOURCE = "media_service"
_STOPS = (FactKind.CANCEL_REQUESTED, FactKind.HANG_UP_REQUESTED)
# Agent versions never change; so many of them, with their openings' sound, stay in memory.
MAX_KEPT_AGENTS = 128

_AgentKey = tuple[str, str, int]


class AdmissionRefused(Refused):
    """The stream may not enter; the text says why, for the operator."""


@dataclass(frozen=True, slots=True)
class Identified:
    """A stream with a good token. `started_at` is when its start message came."""

    start: Start
    started_at: datetime
    token: StreamToken
    call: Call
    agent: Agent


@dataclass(frozen=True, slots=True)
class Admitted:
    """A stream that entered. `elapsed_ms` is how long before its start the phone was answered; `history` and
    `next_seq` go on from earlier legs, `history` is None where nobody has heard Sofia yet."""

    call: Call
    agent: Agent
    clip: OpeningClip
    lease: Lease
    carrier_sid: str
    elapsed_ms: float
    history: Conversation | None
    next_seq: int


class Admission:
    """Both steps raise what the stores raise (`media_service.patience.STORE_TROUBLE`). `written` waits until every
    entry that this process has for a call is in the store: an earlier leg may have been served here."""

    def __init__(
        self,
        live: LiveCalls,
        directory: Directory,
        leases: Leases,
        journal: Journal,
        clips: OpeningClips,
        threads: WorkerThreads,
        written: Callable[[str], Awaitable[None]],
        secrets: tuple[bytes, ...],
        task_id: str,
    ) -> None:
        self._live = live
        self._directory = directory
        self._leases = leases
        self._journal = journal
        self._clips = clips
        self._run = threads.run
        self._written = written
        self._secrets = secrets
        self._task_id = task_id
        self._agents: dict[_AgentKey, tuple[Agent, OpeningClip]] = {}

    async def identify(self, start: Start, started_at: datetime) -> Identified:
        """Whose stream it is. Raises PhoneProtocolError, TokenRefused, AdmissionRefused or NotFound."""
        media_format = start.media_format
        if media_format.encoding != "audio/x-mulaw" or media_format.sample_rate != 8_000:
            raise PhoneProtocolError("the stream's sound is not 8 kHz mu-law")
        token = verified(start.custom_parameters.get("token", ""), self._secrets, started_at)
        call = await self._run(self._live.get, token.call_id)
        if call.is_over or call.has(FactKind.CONVERSATION_CLOSED):
            raise AdmissionRefused("the call is over")
        if any(call.has(stop) for stop in _STOPS):
            raise AdmissionRefused("the call is to be ended")
        if call.attempt != token.attempt:
            raise AdmissionRefused("the stream belongs to an earlier dial attempt")
        key = (call.tenant_id, call.agent_id, call.agent_version)
        kept = self._agents.get(key)
        agent = kept[0] if kept is not None else await self._run(self._directory.agent, *key)
        return Identified(start, started_at, token, call, agent)

    async def enter(self, stream: Identified) -> Admitted:
        """Take the call for this leg. Raises LeaseRefused, AdmissionRefused or NotFound."""
        start, call, at = stream.start, stream.call, stream.started_at
        taker = (start.call_sid, self._task_id, at, call.trace_id)
        lease = await self._run(self._leases.take, stream.token, *taker)
        (history, next_seq), clip, _call = await asyncio.gather(
            self._history(lease),
            self._clip(stream.agent),
            self._run(self._live.record, call.call_id, [started_fact(call.attempt, lease, at)]),
        )
        return Admitted(
            call=call,
            agent=stream.agent,
            clip=clip,
            lease=lease,
            carrier_sid=start.call_sid,
            elapsed_ms=max(0.0, (at - lease.answered_at).total_seconds() * 1_000),
            history=history,
            next_seq=next_seq,
        )

    async def _history(self, lease: Lease) -> tuple[Conversation | None, int]:
        if lease.fence == 1:
            return None, 1
        await self._written(lease.call_id)
        entries = valid_entries(await self._run(self._journal.read, lease.call_id))
        if any(isinstance(entry.body, Closed) for entry in entries):
            # That leg's closing is on its way to the call's record.
            raise AdmissionRefused("the conversation is closed")
        next_seq = max((entry.seq for entry in entries), default=0) + 1
        so_far = conversation(entries)
        sofia_spoke = so_far.first_sound_ms is not None or any(
            turn.who is Who.AGENT for turn in so_far.turns
        )
        return (so_far if sofia_spoke else None), next_seq

    async def _clip(self, agent: Agent) -> OpeningClip:
        key = (agent.tenant_id, agent.agent_id, agent.version)
        kept = self._agents.get(key)
        if kept is not None:
            return kept[1]
        clip = await self._run(self._clips.get, agent)
        if len(self._agents) >= MAX_KEPT_AGENTS:
            del self._agents[next(iter(self._agents))]
        self._agents[key] = (agent, clip)
        return clip


def started_fact(attempt: int, lease: Lease, now: datetime) -> Fact:
    return Fact(now, FactKind.STREAM_STARTED, attempt, SOURCE, str(lease.fence))
