"""The journal of a conversation: entries in the order in which things ended, and what they add up to.

A media task writes entries with the fence of its lease. After a task died, its successor writes on under a higher
fence; where both wrote the same number, the higher fence is right. A turn may be written again (the callee's words
arrive after the turn ended): the last entry for a turn number counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from shared.domain.conversation import (
    CloseCause,
    Conversation,
    DutyHeard,
    FollowUp,
    ToolUse,
    Turn,
    Usage,
)


@dataclass(frozen=True, slots=True)
class Moments:
    """Two moments of the opening, in ms from the answer: Sofia's first sound on its way to the callee, and the end
    of the callee's first words."""

    first_sound_ms: int | None = None
    first_callee_end_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Closed:
    """The conversation is over. The last entry of a journal."""

    cause: CloseCause
    at_ms: int


@dataclass(frozen=True, slots=True)
class EngineBlock:
    """Compressed engine events since the last block (base64 of zlib), for replay; no sound."""

    version: int
    events: str


JournalBody = Turn | ToolUse | DutyHeard | FollowUp | Usage | Moments | Closed | EngineBlock


class EntryKind(StrEnum):
    TURN = "turn"
    TOOL = "tool"
    DUTY = "duty"
    FOLLOW_UP = "follow_up"
    USAGE = "usage"
    MOMENTS = "moments"
    CLOSED = "closed"
    ENGINE = "engine"


BODY_TYPES: dict[EntryKind, type[JournalBody]] = {
    EntryKind.TURN: Turn,
    EntryKind.TOOL: ToolUse,
    EntryKind.DUTY: DutyHeard,
    EntryKind.FOLLOW_UP: FollowUp,
    EntryKind.USAGE: Usage,
    EntryKind.MOMENTS: Moments,
    EntryKind.CLOSED: Closed,
    EntryKind.ENGINE: EngineBlock,
}
_KINDS = {body: kind for kind, body in BODY_TYPES.items()}


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """`seq` counts from 1 within a call; `trace_id` is the call's."""

    call_id: str
    seq: int
    fence: int
    body: JournalBody
    trace_id: str = ""

    @property
    def kind(self) -> EntryKind:
        return _KINDS[type(self.body)]


def valid_entries(entries: Iterable[JournalEntry]) -> list[JournalEntry]:
    """In order of `seq`, for each the entry with the highest fence; what an older fence wrote after the newer one
    had begun is dropped."""
    best: dict[int, JournalEntry] = {}
    for entry in entries:
        known = best.get(entry.seq)
        if known is None or entry.fence > known.fence:
            best[entry.seq] = entry
    kept: list[JournalEntry] = []
    fence = 0
    for seq in sorted(best):
        entry = best[seq]
        if entry.fence >= fence:
            kept.append(entry)
            fence = entry.fence
    return kept


def conversation(entries: Iterable[JournalEntry]) -> Conversation:
    """What the entries add up to."""
    turns: dict[int, Turn] = {}
    tools: dict[str, ToolUse] = {}
    duties: dict[str, DutyHeard] = {}
    follow_ups: dict[str, FollowUp] = {}
    usage: list[Usage] = []
    moments = Moments()
    for entry in valid_entries(entries):
        body = entry.body
        if isinstance(body, Turn):
            turns[body.n] = body
        elif isinstance(body, ToolUse):
            tools[body.call_id] = body
        elif isinstance(body, DutyHeard):
            duties[body.duty.value] = body
        elif isinstance(body, FollowUp):
            follow_ups[body.follow_up_id] = body
        elif isinstance(body, Usage):
            usage.append(body)
        elif isinstance(body, Moments):
            moments = body
    return Conversation(
        turns=tuple(turns[n] for n in sorted(turns)),
        tools=tuple(tools.values()),
        duties=tuple(duties.values()),
        follow_ups=tuple(follow_ups.values()),
        usage=tuple(usage),
        first_sound_ms=moments.first_sound_ms,
        first_callee_end_ms=moments.first_callee_end_ms,
    )
