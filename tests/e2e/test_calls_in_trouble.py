"""Calls on which the carrier does what carriers do: every one is dialled once, ends, and is accounted for.

One twin, a number for each trouble, all at once. The words go by a side channel (text ears).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

import pytest

from local.callee.persona import Persona
from local.carrier.far_end import MachineVerdict
from local.carrier.settings import (
    CallbackFaults,
    Faults,
    MachineFaults,
    RestFaults,
    SigningFaults,
    StreamFaults,
)
from local.placing import Placed, place
from local.session import Session, open_session
from local.twin import TwinOptions
from tests.e2e.people import answering

EVERY_EVENT = frozenset({"initiated", "ringing", "answered", "completed"})


@dataclass(frozen=True, slots=True)
class Case:
    """A trouble, and whether the call's end is known only once the reconciler has asked the carrier."""

    faults: Faults
    asks: bool = False
    talks: bool = True


CASES = {
    "reports twice and out of order": Case(
        Faults(callbacks=CallbackFaults(duplicate=True, reorder=True))
    ),
    "reports after the end": Case(
        Faults(callbacks=CallbackFaults(after_end=frozenset({"ringing", "answered"})))
    ),
    "a report before the answer to the request": Case(
        Faults(callbacks=CallbackFaults(initiated_before_answer=True))
    ),
    "no report at all": Case(Faults(callbacks=CallbackFaults(drop=EVERY_EVENT)), asks=True),
    "the port in the signed address": Case(Faults(signing=SigningFaults(with_port=True))),
    "a slash behind the signed address": Case(Faults(signing=SigningFaults(with_slash=True))),
    "wrongly signed reports": Case(
        Faults(signing=SigningFaults(wrong=True, on_handshakes=False)), asks=True
    ),
    "unsigned streams": Case(
        Faults(signing=SigningFaults(missing=True, on_webhooks=False)), talks=False
    ),
    "a stream that dies in the opening": Case(Faults(stream=StreamFaults(dies_at_ms=6_000))),
    "a stop and no close": Case(Faults(stream=StreamFaults(no_close=True))),
    "a close and no stop": Case(Faults(stream=StreamFaults(close_without_stop=True))),
    "a reset at the end": Case(Faults(stream=StreamFaults(abrupt_reset=True))),
    "a stall and a burst": Case(Faults(stream=StreamFaults(stall_at_ms=9_000, stall_ms=250))),
    "frames that never come": Case(Faults(stream=StreamFaults(skip_at_ms=9_000, skip_ms=200))),
    "frames of odd sizes": Case(Faults(stream=StreamFaults(odd_frames=True))),
    "no pongs": Case(Faults(stream=StreamFaults(never_pong=True))),
    "our close reported as an error": Case(Faults(stream=StreamFaults(close_is_error=True))),
    "a verdict twice": Case(Faults(machine=MachineFaults(twice=True))),
    "a verdict after the end": Case(Faults(machine=MachineFaults(after_end=True))),
    "a person taken for a machine": Case(
        Faults(machine=MachineFaults(verdict=MachineVerdict.MACHINE_START))
    ),
}
# Each strikes one of the calls, whichever comes first.
AT_THE_DOOR = RestFaults(
    too_many_requests=1, fail_after_creating=1, reset_after_creating=1, hang_up_error_400=True
)
LATER = timedelta(minutes=3)


@pytest.mark.timeout(300)
async def test_every_call_is_dialled_once_ends_and_is_accounted_for() -> None:
    numbers = {name: f"+346110002{i:02d}" for i, name in enumerate(CASES)}
    options = TwinOptions(carrier_faults=Faults(rest=AT_THE_DOOR), calls_per_second=10)
    async with open_session(options, text_ears=True) as session:
        carrier, carmen = session.twin.carrier, session.personas.persona("p01")
        carrier.set_faults_by_number({numbers[name]: case.faults for name, case in CASES.items()})
        session.twin.clock.set_now(carmen.call_at)
        calls = {
            name: asyncio.create_task(called(session, carmen, number))
            for name, number in numbers.items()
        }
        await asyncio.wait([calls[name] for name, case in CASES.items() if not case.asks])
        # What nobody reports is asked for by a schedule: its time comes.
        session.twin.clock.set_now(session.twin.clock.now() + LATER)
        placed = {name: await call for name, call in calls.items()}
        dialled = Counter(call.request.to_number for call in carrier.calls.values())
        assert carrier.violations == []
        assert session.twin.cloud.failures == {}
    assert dialled == dict.fromkeys(numbers.values(), 1)
    wrong = {name: trouble(placed[name], case) for name, case in CASES.items()}
    assert {name: what for name, what in wrong.items() if what} == {}


async def called(session: Session, carmen: Persona, number: str) -> Placed:
    somebody = answering(
        carmen,
        number,
        {"say": "¿Diga?", "when": "first"},
        {"say": "No me interesa, gracias. Adiós."},
    )
    return await place(
        session.twin, session.api, somebody, session.voice, board=session.board, within_s=230
    )


def trouble(placed: Placed, case: Case) -> str | None:
    """What is wrong with a call, in short; None if all is well."""
    report = placed.report
    if report["status"] != "analysed":
        return f"is {report['status']}"
    if not case.talks:
        said = [turn for turn in report["turns"] if turn["heard"]]
        return f"talked: {said}" if said or report["end_reason"] == "completed" else None
    if report["end_reason"] != "completed":
        return f"ended {report['end_reason']}"
    duties = {"ai", "company", "purpose", "transcription", "right_to_object"}
    if set(report["duties"]) != duties:
        return f"duties {sorted(report['duties'])}"
    openings = [t for t in report["turns"] if "inteligencia artificial" in (t["heard"] or "")]
    if len(openings) != 1:
        return f"{len(openings)} openings"
    if report["outcome"] not in ("not_interested", "hung_up"):
        return f"outcome {report['outcome']}"
    return None
