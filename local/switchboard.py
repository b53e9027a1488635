"""Who lives at which number of the twin."""

from __future__ import annotations

from local.callee.actor import PersonaActor
from local.carrier.far_end import FarEnd, RingingCall


class Switchboard:
    """A `FarEndDirectory`: each number is taken by the actor that was connected to it last."""

    def __init__(self) -> None:
        self._waiting: dict[str, PersonaActor] = {}
        self.taken: dict[str, PersonaActor] = {}

    def connect(self, number: str, actor: PersonaActor) -> None:
        """`actor` (prepared) takes the next call to `number`."""
        self._waiting[number] = actor

    def far_end_for(self, call: RingingCall) -> FarEnd | None:
        actor = self._waiting.pop(call.to_number, None)
        if actor is not None:
            self.taken[call.call_sid] = actor
        return actor
