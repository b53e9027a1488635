"""What machine detection says, by the mode that was asked for and by what the line sounds like."""

from __future__ import annotations

import asyncio

import pytest

from local.carrier.far_end import MachineVerdict, PickupPlan
from local.carrier.settings import Faults, MachineFaults
from tests.integration.local.carrier.stage import ORIGIN, staged, wait_for

PAUSE = "<Response><Pause length='30'/></Response>"
DETECTION = {"async_amd": "true", "async_amd_status_callback": f"{ORIGIN}/amd"}
GREETING_MS = 600


def mailbox(verdict: MachineVerdict) -> PickupPlan:
    return PickupPlan(after_ms=20, verdict=verdict, verdict_after_ms=60)


@pytest.mark.parametrize(
    ("mode", "plan", "told"),
    [
        ("Enable", MachineVerdict.MACHINE_START, "machine_start"),
        ("Enable", MachineVerdict.MACHINE_END_BEEP, "machine_start"),
        ("DetectMessageEnd", MachineVerdict.MACHINE_START, "machine_end_beep"),
        ("DetectMessageEnd", MachineVerdict.MACHINE_END_SILENCE, "machine_end_silence"),
        ("DetectMessageEnd", MachineVerdict.HUMAN, "human"),
    ],
)
async def test_a_machine_is_named_at_once_or_when_its_greeting_is_over(
    mode: str, plan: MachineVerdict, told: str
) -> None:
    async with staged(mailbox(plan)) as stage:
        stage.app.person.silent_from_ms = GREETING_MS
        await stage.place(twiml=PAUSE, machine_detection=mode, **DETECTION)
        await wait_for(lambda: any("AnsweredBy" in r for r in stage.app.reports))
        (report,) = [r for r in stage.app.reports if "AnsweredBy" in r]
        at_end = told.startswith("machine_end")
        took_ms = int(report["MachineDetectionDuration"])
        assert report["AnsweredBy"] == told
        assert (GREETING_MS + 480 <= took_ms <= GREETING_MS + 700) if at_end else took_ms == 60


async def test_a_machine_that_says_nothing_is_unknown() -> None:
    async with staged(mailbox(MachineVerdict.MACHINE_START)) as stage:
        stage.app.person.silent_from_ms = 0
        await stage.place(
            twiml=PAUSE,
            machine_detection="DetectMessageEnd",
            machine_detection_silence_timeout=2_000,
            **DETECTION,
        )
        await wait_for(lambda: any("AnsweredBy" in r for r in stage.app.reports))
        (report,) = [r for r in stage.app.reports if "AnsweredBy" in r]
        assert report["AnsweredBy"] == "unknown"
        # The time-out that was asked for, not the one of 5 s.
        assert 2_000 <= int(report["MachineDetectionDuration"]) < 3_000


async def test_the_verdict_may_be_wrong() -> None:
    faults = MachineFaults(verdict=MachineVerdict.FAX)
    async with staged(mailbox(MachineVerdict.HUMAN), Faults(machine=faults)) as stage:
        call = await stage.place(twiml=PAUSE, machine_detection="Enable", **DETECTION)
        await wait_for(lambda: any("AnsweredBy" in r for r in stage.app.reports))
        assert [r["AnsweredBy"] for r in stage.app.reports if "AnsweredBy" in r] == ["fax"]
        fetched = await asyncio.to_thread(stage.client.calls(call.sid).fetch)
        assert fetched.answered_by == "fax"
