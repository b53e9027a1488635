"""What one session knows and everything in it shares."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from local.realtime.background import Background
from local.realtime.codec import Codec
from local.realtime.conversation import Conversation, new_id
from local.realtime.settings import EmulatorSettings

Emit = Callable[..., Awaitable[None]]


@dataclass(slots=True)
class SessionState:
    """`session` is what the wire calls so; `errors` are the codes of all refusals and failures of the emulator."""

    settings: EmulatorSettings
    session: dict[str, Any]
    emit: Emit
    random: random.Random
    conversation: Conversation = field(default_factory=Conversation)
    conversation_id: str = field(default_factory=lambda: new_id("conv"))
    background: Background = field(default_factory=Background)
    errors: list[str] = field(default_factory=list)
    has_spoken: bool = False

    @property
    def model(self) -> str:
        return str(self.session["model"])

    @property
    def turn_detection(self) -> dict[str, Any] | None:
        detection: dict[str, Any] | None = self.session["audio"]["input"]["turn_detection"]
        return detection

    @property
    def pace(self) -> float:
        listens = self.turn_detection is not None
        return self.settings.pace if listens else self.settings.reading_pace

    def input_codec(self) -> Codec:
        """For a sound of its own in the session's input format."""
        return Codec(self.session["audio"]["input"]["format"]["type"])
