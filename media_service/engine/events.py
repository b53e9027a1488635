"""What can happen in a call. Wire JSON becomes one of these at the edge and never travels further in.

Times come beside the event (`Machine.handle(event, now_ms)`); sound is 8 kHz mu-law, 8 bytes a millisecond.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.domain.conversation import FollowUp, ToolStatus, Usage

# --- from the phone line


@dataclass(frozen=True, slots=True)
class MarkReturned:
    """A mark came back: the sound before it was played, or was thrown away by our own `clear`."""

    name: str


@dataclass(frozen=True, slots=True)
class DigitPressed:
    digit: str


@dataclass(frozen=True, slots=True)
class PhoneStopped:
    """The carrier ended the stream: hang-up by anybody."""


@dataclass(frozen=True, slots=True)
class MachineVerdict:
    """The carrier's machine detection: `human`, `machine_start`, `fax`, ..."""

    verdict: str


# --- from the speech model


@dataclass(frozen=True, slots=True)
class ModelReady:
    """The session is configured; sound may flow. The session's own sound clock begins at `base_ms` of the call."""

    base_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """`at_ms` counts the sound given to the model since its session began, padding included."""

    item_id: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    item_id: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Committed:
    """The callee's utterance stands in the model's conversation."""

    item_id: str


@dataclass(frozen=True, slots=True)
class WordsHeard:
    """The transcript of a callee's utterance; empty where there were no words or recognition failed."""

    item_id: str
    text: str
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class ReplyStarted:
    """`tag` is what we put on our request, None for a reply that we did not ask for."""

    response_id: str
    tag: str | None


@dataclass(frozen=True, slots=True)
class SoundMade:
    response_id: str
    item_id: str
    sound: bytes


@dataclass(frozen=True, slots=True)
class WordsMade:
    response_id: str
    item_id: str
    text: str


@dataclass(frozen=True, slots=True)
class ToolCalled:
    response_id: str
    call_id: str
    name: str
    arguments: str


class ReplyStatus(StrEnum):
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    INCOMPLETE = "incomplete"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ReplyEnded:
    """`code` names the reason of a failure or of an incomplete reply."""

    response_id: str
    status: ReplyStatus
    code: str | None = None
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class ModelRefused:
    """An `error` event; `request_id` is the id we gave the refused request, if it was ours."""

    code: str
    request_id: str | None


@dataclass(frozen=True, slots=True)
class ModelLost:
    """The model's socket is gone."""

    code: str


@dataclass(frozen=True, slots=True)
class ModelUnavailable:
    """No session can be had: refused, unreachable, tried often enough."""

    code: str


# --- from our own side


@dataclass(frozen=True, slots=True)
class ToolFinished:
    """`arguments` as validated; `result` goes to the model; `follow_up` is a promise to keep, if the tool made one."""

    call_id: str
    status: ToolStatus
    arguments: Mapping[str, object]
    result: Mapping[str, object]
    follow_up: FollowUp | None = None


@dataclass(frozen=True, slots=True)
class TimerFired:
    name: str


Event = (
    MarkReturned
    | DigitPressed
    | PhoneStopped
    | MachineVerdict
    | ModelReady
    | SpeechStarted
    | SpeechStopped
    | Committed
    | WordsHeard
    | ReplyStarted
    | SoundMade
    | WordsMade
    | ToolCalled
    | ReplyEnded
    | ModelRefused
    | ModelLost
    | ModelUnavailable
    | ToolFinished
    | TimerFired
)
