"""How a person on the phone behaves in time, where the persona file leaves it open."""

from __future__ import annotations

from dataclasses import dataclass

from local.callee.persona import AnsweredBy, Persona
from local.carrier.far_end import MachineVerdict, PickupPlan


@dataclass(frozen=True, slots=True)
class Manners:
    """All times in milliseconds.

    `asks_who_is_there` and `gives_up`: how long after the last sound of either side the person says
    "¿Oiga?", once, and after that hangs up. None: the person waits for ever (mailboxes, strict
    scripts).
    """

    rings_ms: int = 1_500
    first_words_ms: int = 300
    """From the answer to the words that open the line; before 1.2 s, when agents stop waiting."""
    agent_done_ms: int = 700
    """Silence after which the person takes the agent's turn for finished."""
    breath_ms: int = 200
    """Between two lines that follow one another without waiting."""
    room_wait_ms: int = 2_500
    """After words to the room nobody owes an answer; then the person comes back to the phone."""
    unheard_pause_ms: int = 2_500
    """Between the lines of somebody who hears nothing."""
    asks_who_is_there_ms: int | None = 8_000
    gives_up_ms: int = 12_000
    goodbye_wait_ms: int = 6_000
    """From the last sound after the last line until the person hangs up, if the agent does not."""
    call_after_last_line_ms_max: int = 30_000
    """However long the agent talks on."""


_MAILBOX = Manners(
    rings_ms=2_500, first_words_ms=200, asks_who_is_there_ms=None, goodbye_wait_ms=1_000
)
_ANNOUNCEMENT = Manners(first_words_ms=200, asks_who_is_there_ms=None)

_VERDICTS = {
    AnsweredBy.HUMAN: (MachineVerdict.HUMAN, 3_000),
    AnsweredBy.NETWORK_VOICEMAIL: (MachineVerdict.MACHINE_START, 4_000),
    AnsweredBy.IVR: (MachineVerdict.MACHINE_START, 4_000),
    AnsweredBy.CALL_SCREENER: (MachineVerdict.UNKNOWN, 5_000),
}
"""What machine detection says, and when: 3 to 5 s after the answer, as its documentation gives."""


def manners_of(persona: Persona) -> Manners:
    """A person's patience, or a machine's lack of interest."""
    if persona.answered_by is AnsweredBy.HUMAN:
        return Manners()
    return _MAILBOX if persona.answered_by is AnsweredBy.NETWORK_VOICEMAIL else _ANNOUNCEMENT


def pickup_of(persona: Persona, manners: Manners) -> PickupPlan:
    verdict, after_ms = _VERDICTS[persona.answered_by]
    return PickupPlan(after_ms=manners.rings_ms, verdict=verdict, verdict_after_ms=after_ms)
