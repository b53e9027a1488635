"""Machine detection: what the carrier says of whoever picked up, and when (twilio.md, sections 6.1 and 10.6)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import StrEnum

from local.carrier.address import Address
from local.carrier.far_end import MachineVerdict, PickupPlan
from local.carrier.line import Line

MACHINE_KNOWN_MS_MAX = 5_000
AFTER_GREETING_MS = 500
_POLL_S = 0.02
_ENDS = frozenset(
    {
        MachineVerdict.MACHINE_END_BEEP,
        MachineVerdict.MACHINE_END_SILENCE,
        MachineVerdict.MACHINE_END_OTHER,
    }
)


class DetectionMode(StrEnum):
    """`ENABLE` names a machine as soon as it is known for one, the other when its greeting is over."""

    ENABLE = "Enable"
    DETECT_MESSAGE_END = "DetectMessageEnd"


@dataclass(frozen=True, slots=True)
class DetectionOrder:
    """What a creation asks for."""

    mode: DetectionMode
    is_async: bool = False
    callback: Address | None = None
    timeout_ms: int = 30_000
    silence_ms: int = 5_000


@dataclass(frozen=True, slots=True)
class Detected:
    """A verdict, and how long it took from the answer."""

    verdict: MachineVerdict
    after_ms: int

    def form(self) -> dict[str, str]:
        return {
            "AnsweredBy": self.verdict.value,
            "MachineDetectionDuration": str(self.after_ms),
        }


async def detect(
    order: DetectionOrder, plan: PickupPlan, line: Line, over: asyncio.Event
) -> Detected | None:
    """The verdict, when it is due; None where the far end's plan has none. A machine's plan says how it ends, the
    line when: its greeting is over half a second after its last sound."""
    verdict = plan.verdict
    if verdict is None:
        return None
    is_machine = verdict in _ENDS or verdict is MachineVerdict.MACHINE_START
    if is_machine and order.mode is DetectionMode.DETECT_MESSAGE_END:
        ending = verdict if verdict in _ENDS else MachineVerdict.MACHINE_END_BEEP
        return await _at_greetings_end(order, ending, line, over)
    after_ms = plan.verdict_after_ms
    if is_machine:
        verdict, after_ms = MachineVerdict.MACHINE_START, min(after_ms, MACHINE_KNOWN_MS_MAX)
    await asyncio.sleep(after_ms / 1_000)
    return Detected(verdict, after_ms)


async def _at_greetings_end(
    order: DetectionOrder, ending: MachineVerdict, line: Line, over: asyncio.Event
) -> Detected:
    while line.at_ms < order.timeout_ms and not over.is_set():
        has_spoken = line.last_sound_ms >= 0
        if has_spoken and line.quiet_ms >= AFTER_GREETING_MS:
            return Detected(ending, line.at_ms)
        if not has_spoken and line.at_ms >= order.silence_ms:
            break
        await asyncio.sleep(_POLL_S)
    return Detected(MachineVerdict.UNKNOWN, line.at_ms)
