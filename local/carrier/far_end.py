"""The other end of an emulated phone line: who answers, and what sound goes each way.

The carrier calls these methods from its event loop and never waits: every one returns at once. All sound is 8 kHz
mono mu-law; a frame is 160 bytes (20 ms).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

FRAME_BYTES = 160
FRAME_MS = 20
SILENCE_FRAME = b"\xff" * FRAME_BYTES


class Pickup(StrEnum):
    """What happens to a ringing call."""

    ANSWER = "answer"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    FAILED = "failed"


class MachineVerdict(StrEnum):
    """What the carrier's machine detection says (`reference` values of Twilio's `AnsweredBy`)."""

    HUMAN = "human"
    MACHINE_START = "machine_start"
    MACHINE_END_BEEP = "machine_end_beep"
    MACHINE_END_SILENCE = "machine_end_silence"
    MACHINE_END_OTHER = "machine_end_other"
    FAX = "fax"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class RingingCall:
    """A call as the far end sees it while it rings."""

    call_sid: str
    from_number: str
    to_number: str


@dataclass(frozen=True, slots=True)
class PickupPlan:
    """How the far end takes a call: after `after_ms` of ringing it does `pickup`.

    `verdict` arrives `verdict_after_ms` after the answer, if machine detection was asked for; None never arrives.
    """

    pickup: Pickup = Pickup.ANSWER
    after_ms: int = 1_500
    verdict: MachineVerdict | None = MachineVerdict.HUMAN
    verdict_after_ms: int = 3_000


@dataclass(frozen=True, slots=True)
class FarFrame:
    """What the far end does in one 20 ms frame: its sound, a key it presses (one character), or that it hangs up."""

    sound: bytes = SILENCE_FRAME
    digit: str | None = None
    hang_up: bool = False


class FarEnd(Protocol):
    """A person, mailbox or script at the end of one line. One instance for each call."""

    def pickup_plan(self) -> PickupPlan:
        """Asked once, when the line begins to ring."""
        ...

    def answered(self, at_ms: int) -> None:
        """The line is open. `at_ms` is 0; all later times count from here."""
        ...

    def exchange(self, heard: bytes, at_ms: int) -> FarFrame:
        """One frame each way, every 20 ms from the answer on: what was played to the far end in the frame that
        starts at `at_ms`, and what it sends in the same frame."""
        ...

    def ended(self, at_ms: int, by_far_end: bool) -> None:
        """The line is closed (also when it was never answered; `at_ms` is 0 then)."""
        ...


class FarEndDirectory(Protocol):
    """Finds who lives at a number."""

    def far_end_for(self, call: RingingCall) -> FarEnd | None:
        """The far end that takes this call, or None: the number is not in service."""
        ...
