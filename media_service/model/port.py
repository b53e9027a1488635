"""What a call needs of a speech model."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from media_service.engine.actions import Action
from media_service.engine.events import Event
from shared.domain.errors import Unavailable


class ModelUnavailable(Unavailable):
    """The model's session cannot be had: refused, unreachable, or not ready in time. `code` is the service's;
    `is_final` where asking again will not help."""

    def __init__(self, code: str, *, is_final: bool = False) -> None:
        super().__init__(f"the speech model is not available: {code}")
        self.code = code
        self.is_final = is_final


@dataclass(frozen=True, slots=True)
class Arrival:
    """An event, and the event loop's time at which its frame came out of the socket."""

    event: Event
    at_s: float


class ModelSession(Protocol):
    """One open session, configured."""

    def append(self, payload: bytes) -> None:
        """Give it a frame of the callee's sound: base64 as a JSON string, quotes included. Never waits."""
        ...

    def commit(self, request_id: str) -> None:
        """End the utterance that is under way, without waiting for the detector. `Committed` follows, or a
        `ModelRefused` of this id where there is none."""
        ...

    def perform(self, action: Action) -> None:
        """Carry out an action of the model's side."""
        ...

    def events(self) -> AsyncIterator[Arrival]:
        """What the session says, until it is over; ends with `ModelLost`."""
        ...

    async def close(self) -> None:
        """Idempotent; nothing of the session is left afterwards."""
        ...


class SpeechModel(Protocol):
    """A model with the settings of one agent version."""

    async def open(self) -> ModelSession:
        """A fresh, configured session; raises ModelUnavailable."""
        ...
