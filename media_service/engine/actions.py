"""What the machine wants done. The shells carry actions out in order and at once; none of them waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.domain.conversation import CloseCause
from shared.domain.journal import JournalBody


class Speaker(StrEnum):
    """In whose name an item enters the model's conversation."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


# --- to the phone line


@dataclass(frozen=True, slots=True)
class SendSound:
    """Mu-law, a multiple of 160 bytes."""

    sound: bytes


@dataclass(frozen=True, slots=True)
class SendMark:
    name: str


@dataclass(frozen=True, slots=True)
class SendClear:
    pass


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the phone call through the carrier's API; the stream's end follows."""


# --- to the speech model


@dataclass(frozen=True, slots=True)
class Listen:
    """Set the pause that ends the callee's turn."""

    silence_ms: int


@dataclass(frozen=True, slots=True)
class AddItem:
    """A text item; `after` is the id of the item it follows, None for the end of the conversation."""

    item_id: str
    speaker: Speaker
    text: str
    after: str | None = None


@dataclass(frozen=True, slots=True)
class DeleteItem:
    item_id: str


@dataclass(frozen=True, slots=True)
class TruncateItem:
    item_id: str
    heard_ms: int


@dataclass(frozen=True, slots=True)
class CreateReply:
    """Ask for a reply; `tag` comes back with `ReplyStarted`."""

    tag: str


@dataclass(frozen=True, slots=True)
class CancelReply:
    response_id: str


@dataclass(frozen=True, slots=True)
class AnswerTool:
    call_id: str
    result: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class OpenModel:
    """Open a fresh session; `ModelReady` follows."""


# --- to our own side


@dataclass(frozen=True, slots=True)
class RunTool:
    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Fire `TimerFired(name)` at `at_ms`; replaces a timer of the same name."""

    name: str
    at_ms: float


@dataclass(frozen=True, slots=True)
class StopTimer:
    name: str


@dataclass(frozen=True, slots=True)
class Record:
    """Write into the journal."""

    body: JournalBody


@dataclass(frozen=True, slots=True)
class Finish:
    """The conversation is over; nothing follows."""

    cause: CloseCause


Action = (
    SendSound
    | SendMark
    | SendClear
    | HangUp
    | Listen
    | AddItem
    | DeleteItem
    | TruncateItem
    | CreateReply
    | CancelReply
    | AnswerTool
    | OpenModel
    | RunTool
    | SetTimer
    | StopTimer
    | Record
    | Finish
)
