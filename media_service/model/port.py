"""What the bridge needs of a speech model."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from media_service.engine.actions import Action
from media_service.engine.events import Event
from shared.domain.errors import Unavailable


class ModelUnavailable(Unavailable):
    """The model's session cannot be had: refused, unreachable, or not ready in time. `code` is the service's."""

    def __init__(self, code: str) -> None:
        super().__init__(f"the speech model is not available: {code}")
        self.code = code


class ModelSession(Protocol):
    """One open session, configured."""

    def append(self, payload: bytes) -> None:
        """Give it a frame of the callee's sound: base64 as a JSON string, quotes included. Never waits."""
        ...

    def perform(self, action: Action) -> bool:
        """Carry out an action of the model's side; False if it is not one."""
        ...

    def events(self) -> AsyncIterator[Event]:
        """What the session says, until it is over; ends with `ModelLost`."""
        ...

    async def close(self) -> None: ...


class SpeechModel(Protocol):
    async def open(self) -> ModelSession:
        """A fresh, configured session; raises ModelUnavailable."""
        ...
