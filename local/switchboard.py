"""Who lives at which number of the twin."""

from __future__ import annotations

from collections.abc import Callable

from local.callee.actor import PersonaActor
from local.carrier.far_end import FarEnd, RingingCall

# An actor keeps all it heard; a twin that runs for days must not.
REMEMBERED_MAX = 100


class Switchboard:
    """A `FarEndDirectory`. Residents take every call to their number; an actor that was connected takes the next one,
    before them. `taken` names who took the last calls."""

    def __init__(self) -> None:
        self._waiting: dict[str, PersonaActor] = {}
        self._residents: dict[str, Callable[[], PersonaActor]] = {}
        self.taken: dict[str, PersonaActor] = {}

    def connect(self, number: str, actor: PersonaActor) -> None:
        """`actor` (prepared) takes the next call to `number`."""
        self._waiting[number] = actor

    def settle(self, number: str, resident: Callable[[], PersonaActor]) -> None:
        """`resident` gives a prepared actor for each call to `number`."""
        self._residents[number] = resident

    def far_end_for(self, call: RingingCall) -> FarEnd | None:
        actor = self._waiting.pop(call.to_number, None)
        if actor is None and call.to_number in self._residents:
            actor = self._residents[call.to_number]()
        if actor is not None:
            self.taken[call.call_sid] = actor
            if len(self.taken) > REMEMBERED_MAX:
                del self.taken[next(iter(self.taken))]
        return actor
