"""What happened in a call, as it is kept: turns, tool calls, duties heard, promises made, usage.

All times `_ms` count from the moment the phone was answered as the media service saw it (the stream's start).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.domain.agent import Duty
from shared.domain.outcome import OptOutScope


class Who(StrEnum):
    AGENT = "agent"
    CALLEE = "callee"


@dataclass(frozen=True, slots=True)
class Waterfall:
    """Where the silence before one of Sofia's turns went. Each a moment in ms from the answer, None if it never came.

    `stop_seen_ms` is when the word that the callee had stopped reached us (after a barge-in: that it was meant): what
    lies before it is the detector's.
    """

    callee_stopped_ms: int | None = None
    stop_seen_ms: int | None = None
    decided_ms: int | None = None
    first_model_sound_ms: int | None = None
    first_frame_sent_ms: int | None = None
    first_mark_back_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of either side, numbered from 1 in order of beginning.

    `said` is the whole text; `heard` what reached the other side's ear (equal to `said` for the callee, and where
    nothing was cut). `said` is None while the transcript of the callee's words is still on its way.
    """

    n: int
    who: Who
    said: str | None
    heard: str | None
    started_ms: int
    ended_ms: int
    interrupted: bool = False
    waterfall: Waterfall | None = None


class ToolStatus(StrEnum):
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A tool that the model called: validated arguments, the result it was given, and when."""

    call_id: str
    name: str
    arguments: Mapping[str, object]
    status: ToolStatus
    result: Mapping[str, object]
    at_ms: int
    turn: int


@dataclass(frozen=True, slots=True)
class DutyHeard:
    """A legal duty and the moment from which the callee has heard it."""

    duty: Duty
    heard_at_ms: int


class UsageKind(StrEnum):
    RESPONSE = "response"
    TRANSCRIPTION = "transcription"
    ANALYSIS = "analysis"


@dataclass(frozen=True, slots=True)
class Usage:
    """What one model request consumed. Cached tokens are contained in the input counts."""

    kind: UsageKind
    model: str
    text_in: int = 0
    text_in_cached: int = 0
    audio_in: int = 0
    audio_in_cached: int = 0
    text_out: int = 0
    audio_out: int = 0
    seconds: float = 0.0


class CloseCause(StrEnum):
    """Why the conversation is over."""

    GOODBYE = "goodbye"
    CALLEE_HUNG_UP = "callee_hung_up"
    VOICEMAIL = "voicemail"
    SILENCE = "silence"
    TIME_LIMIT = "time_limit"
    MODEL_LOST = "model_lost"
    MEDIA_LOST = "media_lost"
    TRANSFERRED = "transferred"


class FollowUpKind(StrEnum):
    """A promise made in a call that somebody has to keep."""

    DEMO = "demo"
    CALLBACK = "callback"
    INFORMATION = "information"
    PRIVACY_REQUEST = "privacy_request"


@dataclass(frozen=True, slots=True)
class FollowUp:
    """`follow_up_id` is derived from the tool call, so writing it twice leaves one. `at` is aware, with the callee's
    offset; `address` is an e-mail address or E.164."""

    follow_up_id: str
    kind: FollowUpKind
    at: datetime | None = None
    timezone: str | None = None
    with_whom: str | None = None
    channel: str | None = None
    address: str | None = None
    detail: str | None = None
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class Suppression:
    """An objection on record. `number_key` is the HMAC of the number; `reference` is what the callee was told."""

    tenant_id: str
    number_key: str
    scope: OptOutScope
    reference: str
    at: datetime
    source: str
    call_id: str | None
    quote: str | None


@dataclass(frozen=True, slots=True)
class Conversation:
    """Everything kept of one call's talk, in order."""

    turns: tuple[Turn, ...] = ()
    tools: tuple[ToolUse, ...] = ()
    duties: tuple[DutyHeard, ...] = ()
    follow_ups: tuple[FollowUp, ...] = ()
    usage: tuple[Usage, ...] = ()
    first_sound_ms: int | None = None
    first_callee_end_ms: int | None = None
