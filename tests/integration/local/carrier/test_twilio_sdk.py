"""The unmodified `twilio` SDK places calls on the emulated carrier, which talks to an application of ours."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from local.carrier.far_end import MachineVerdict, Pickup, PickupPlan
from local.carrier.settings import CallbackFaults, Faults, RestFaults
from tests.integration.local.carrier.stage import (
    ACCOUNT,
    ANSWER,
    CALLEE,
    CALLER,
    ORIGIN,
    marks,
    staged,
    wait_for,
)


async def test_a_call_with_sound_both_ways_marks_clear_and_statuses() -> None:
    async with staged(ANSWER) as stage:
        call = await stage.place()
        assert (call.status, call.direction) == ("queued", "outbound-api")
        socket = await asyncio.wait_for(stage.app.streams.get(), 5)
        start = stage.app.starts[0]
        assert (start["sequenceNumber"], start["start"]["customParameters"]) == (
            "1",
            {"token": "t1"},
        )
        sid = start["streamSid"]

        async def send(**body: Any) -> None:
            await socket.send_str(json.dumps({"streamSid": sid, **body}))

        sound = bytes(range(1, 161)) * 10
        await send(event="media", media={"payload": base64.b64encode(sound).decode()})
        await send(event="mark", mark={"name": "played"})
        await wait_for(lambda: marks(stage.app) == ["played"])
        assert bytes(stage.app.person.heard) == sound
        await send(event="media", media={"payload": base64.b64encode(bytes(80_000)).decode()})
        await send(event="mark", mark={"name": "never heard"})
        await send(event="clear")
        await wait_for(lambda: marks(stage.app)[-1] == "never heard")
        assert len(stage.app.person.heard) < len(sound) + 4_000
        await asyncio.to_thread(stage.client.calls(call.sid).update, status="completed")
        await stage.settled()
        assert stage.app.statuses() == ["initiated", "ringing", "in-progress", "completed"]
        assert [r["SequenceNumber"] for r in stage.app.reports if "SequenceNumber" in r] == [
            "0",
            "1",
            "2",
            "3",
        ]
        assert stage.app.messages[-1]["event"] == "stop"
        fetched = await asyncio.to_thread(stage.client.calls(call.sid).fetch)
        assert fetched.status == "completed"
        listed = await asyncio.to_thread(stage.client.calls.list, to=CALLEE)
        assert [c.sid for c in listed] == [call.sid]


async def test_a_lost_stream_falls_through_to_the_next_connect() -> None:
    async with staged(ANSWER) as stage:
        await stage.place()
        first = await asyncio.wait_for(stage.app.streams.get(), 5)
        await first.close()
        await asyncio.wait_for(stage.app.streams.get(), 5)
        assert [s["start"]["customParameters"]["token"] for s in stage.app.starts] == ["t1", "t2"]
        stage.app.person.leave_at_ms = 0
        await stage.settled()
        assert stage.app.statuses()[-1] == "completed"


@pytest.mark.parametrize(
    ("plan", "status"),
    [
        (PickupPlan(Pickup.BUSY, 20), "busy"),
        (PickupPlan(Pickup.NO_ANSWER, 20), "no-answer"),
        (PickupPlan(Pickup.FAILED, 20), "failed"),
        (PickupPlan(Pickup.ANSWER, 60_000), "no-answer"),
    ],
)
async def test_calls_that_nobody_takes(plan: PickupPlan, status: str) -> None:
    async with staged(plan) as stage:
        await stage.place(timeout=1)
        await stage.settled()
        assert stage.app.statuses() == ["initiated", "ringing", status]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"to": "600"}, 21211),
        ({"to": CALLER}, 21211),
        ({"from_": "+34910000000"}, 21210),
        ({"to": "+15005550006"}, 21215),
        ({"to": "+34600000666"}, 21216),
        ({"twiml": "x" * 4_001}, 21205),
        ({"machine_detection": "Maybe"}, 21234),
    ],
)
async def test_what_twilio_refuses_is_refused(changes: dict[str, Any], code: int) -> None:
    async with staged(ANSWER) as stage:
        with pytest.raises(TwilioRestException) as refusal:
            await stage.place(**changes)
        assert refusal.value.code == code


async def test_wrong_credentials_and_unknown_calls() -> None:
    async with staged(ANSWER) as stage:
        stranger = Client(ACCOUNT, "wrong")
        stranger.api.base_url = stage.carrier.base_url
        with pytest.raises(TwilioRestException) as refusal:
            await asyncio.to_thread(stranger.calls("CA" + "0" * 32).fetch)
        assert (refusal.value.status, refusal.value.code) == (401, 20003)
        with pytest.raises(TwilioRestException) as missing:
            await asyncio.to_thread(stage.client.calls("CA" + "0" * 32).fetch)
        assert missing.value.code == 20404


async def test_hanging_up_what_is_over_is_an_error() -> None:
    async with staged(PickupPlan(Pickup.BUSY, 20)) as stage:
        call = await stage.place()
        await stage.settled()
        with pytest.raises(TwilioRestException) as refusal:
            await asyncio.to_thread(stage.client.calls(call.sid).update, status="completed")
        assert refusal.value.code == 20404


async def test_a_verdict_is_posted_and_webhooks_are_retried_as_the_address_says() -> None:
    async with staged(
        PickupPlan(after_ms=20, verdict=MachineVerdict.MACHINE_START, verdict_after_ms=50)
    ) as stage:
        stage.app.fail_webhooks = 2
        await stage.place(
            machine_detection="Enable", async_amd="true", async_amd_status_callback=f"{ORIGIN}/amd"
        )
        await wait_for(lambda: any("AnsweredBy" in r for r in stage.app.reports))
        stage.app.person.leave_at_ms = 0
        await stage.settled()
        assert stage.app.statuses()[0] == "initiated"


async def test_an_invalid_callback_event_gives_a_call_without_callbacks() -> None:
    async with staged(PickupPlan(Pickup.BUSY, 20)) as stage:
        call = await stage.place(status_callback_event=["initiated ringing"])
        await asyncio.wait_for(stage.app.person.over.wait(), 5)
        notes = await asyncio.to_thread(stage.client.calls(call.sid).notifications.list)
        assert [note.error_code for note in notes] == ["21626"]
        assert stage.app.reports == []


async def test_faults_duplicates_and_ambiguous_creation() -> None:
    faults = Faults(
        rest=RestFaults(fail_after_creating=1, too_many_requests=1),
        callbacks=CallbackFaults(duplicate=True),
    )
    async with staged(PickupPlan(Pickup.BUSY, 20), faults) as stage:
        with pytest.raises(TwilioRestException) as limited:
            await stage.place()
        assert (limited.value.status, len(stage.carrier.calls)) == (429, 0)
        with pytest.raises(TwilioRestException) as ambiguous:
            await stage.place()
        assert (ambiguous.value.status, len(stage.carrier.calls)) == (500, 1)
        await stage.settled()
        await wait_for(
            lambda: stage.app.statuses() == ["initiated"] * 2 + ["ringing"] * 2 + ["busy"] * 2
        )
