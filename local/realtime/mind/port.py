"""The mind behind the emulated speech model: a script that stands in for the model, and is called that.

The emulator hands over what a model would see (instructions, tools, conversation) and gets what a model would do.
A mind keeps nothing between replies: all it knows stands in the conversation, so a session replayed after a lost
connection goes on where it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Role(StrEnum):
    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True)
class Said:
    """A message. For the user: what the ears heard. For the assistant: text as it stands in the conversation;
    after a truncation only the words that were left (the emulator estimates them), `cut` is then true."""

    role: Role
    text: str
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Called:
    """A tool call of the assistant in the conversation, with its result once there is one (JSON text)."""

    call_id: str
    name: str
    arguments: Mapping[str, object]
    output: str | None = None


@dataclass(frozen=True, slots=True)
class ToolOffer:
    """A tool as the session offers it: `parameters` is its JSON schema."""

    name: str
    description: str
    parameters: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class MindView:
    """All that a model would see when asked for a response.

    `guidance` is the text of `response.create.instructions` when the request carries one. `wants_text` is true for
    an out-of-band text response.
    """

    instructions: str
    tools: Sequence[ToolOffer]
    conversation: Sequence[Said | Called]
    guidance: str | None = None
    wants_text: bool = False


@dataclass(frozen=True, slots=True)
class Say:
    """Speak (or write) this."""

    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """Call a tool."""

    name: str
    arguments: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class MindReply:
    """What one response consists of, in order: at most one `Say`, any number of `Call`s."""

    parts: tuple[Say | Call, ...]


class Mind(Protocol):
    def reply(self, view: MindView) -> MindReply:
        """The response to this conversation. Pure and quick (under 5 ms): no I/O, no clock, no randomness."""
        ...


class AnalystMind(Protocol):
    """Stands in for the text model behind `POST /v1/responses` with a strict JSON schema."""

    def answer(
        self, instructions: str, user_text: str, schema: Mapping[str, object]
    ) -> Mapping[str, object]:
        """An object valid under `schema`."""
        ...
