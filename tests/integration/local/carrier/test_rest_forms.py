"""What the REST door takes, refuses and gives back, form by form."""

from __future__ import annotations

import asyncio
import io
import wave
from typing import Any

import pytest
import requests
from twilio.base.exceptions import TwilioRestException

from local.carrier.far_end import Pickup, PickupPlan
from tests.integration.local.carrier.stage import (
    ACCOUNT,
    ANSWER,
    ORIGIN,
    TOKEN,
    staged,
    wait_for,
)

PAUSE = "<Response><Pause length='30'/></Response>"
BUSY = PickupPlan(Pickup.BUSY, 20)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"send_digits": "12x"}, 20001),
        ({"send_digits": "1" * 33}, 20001),
        ({"record": "yes"}, 20001),
        ({"record": True, "recording_channels": "three"}, 20001),
        ({"record": True, "trim": "some"}, 20001),
        ({"record": True, "recording_track": "all"}, 20001),
        ({"record": True, "recording_status_callback_event": ["over"]}, 20001),
        ({"status_callback": "https://my_app.test/status"}, 21609),
        ({"status_callback": "https://app.test/" + "x" * 4_000}, 21609),
        ({"status_callback_method": "PUT"}, 20001),
        ({"async_amd": True, "machine_detection": "Enable"}, 21234),
        ({"machine_detection": "Enable", "machine_detection_timeout": 2}, 21234),
        ({"timeout": 601}, 20001),
        ({"timeout": 0}, 20001),
        ({"time_limit": -1}, 20001),
        ({"url": "app.test/voice"}, 21205),
        ({"to": "+34600000001\n"}, 21211),
    ],
)
async def test_creations_that_are_refused(changes: dict[str, Any], code: int) -> None:
    async with staged(BUSY) as stage:
        with pytest.raises(TwilioRestException) as refusal:
            await stage.place(**changes)
        assert (refusal.value.status, refusal.value.code) == (400, code)
        assert stage.carrier.calls == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"url": f"{ORIGIN}/voice", "twiml": PAUSE},
        {"status": "completed", "twiml": PAUSE},
        {"status": "busy"},
        {"time_limit": 90_000},
    ],
)
async def test_updates_that_are_refused(changes: dict[str, Any]) -> None:
    async with staged(ANSWER) as stage:
        call = await stage.place(twiml=PAUSE)
        await wait_for(lambda: stage.carrier.calls[call.sid].status == "in-progress")
        with pytest.raises(TwilioRestException) as refusal:
            await asyncio.to_thread(stage.client.calls(call.sid).update, **changes)
        assert (refusal.value.status, refusal.value.code) == (400, 20001)


async def test_a_status_callback_is_replaced_together_with_the_document_only() -> None:
    async with staged(ANSWER) as stage:
        document = stage.app.xml("/voice", "<Pause length='30'/>")
        update_of = stage.client.calls((await stage.place(twiml=PAUSE)).sid).update
        await wait_for(lambda: "in-progress" in stage.app.statuses())
        await asyncio.to_thread(update_of, status_callback=f"{ORIGIN}/alone")
        await asyncio.to_thread(update_of, url=document, status_callback=f"{ORIGIN}/other")
        await wait_for(lambda: stage.app.asked("/voice"))
        await asyncio.to_thread(update_of, status="completed")
        (call,) = stage.carrier.calls.values()

        def told() -> dict[str, str]:
            forms = [(e.form, e.url) for e in call.events if "SequenceNumber" in e.form]
            return {form["CallStatus"]: url for form, url in forms}

        await wait_for(lambda: "completed" in told())
        assert told()["in-progress"] == f"{ORIGIN}/status"
        assert told()["completed"] == f"{ORIGIN}/other"


async def test_errors_are_json_with_their_status() -> None:
    async with staged(BUSY) as stage:
        url = f"{stage.carrier.base_url}/2010-04-01/Accounts/{ACCOUNT}/Calls.json"

        def errors() -> list[requests.Response]:
            auth = (ACCOUNT, TOKEN)
            return [
                requests.get(url, timeout=5),
                requests.put(url, auth=auth, timeout=5),
                requests.post(url, auth=auth, data={"To": "x" * 2_000_000}, timeout=5),
                requests.get(f"{url}/nothing", auth=auth, timeout=5),
            ]

        for answer in await asyncio.to_thread(errors):
            assert answer.json()["status"] == answer.status_code >= 400


async def test_a_whole_call_is_recorded_and_its_last_callback_says_where() -> None:
    async with staged(ANSWER) as stage:
        stage.app.person.leave_at_ms = 1_100
        await stage.place(
            twiml=PAUSE,
            record=True,
            recording_channels="dual",
            recording_track="both",
            recording_status_callback=f"{ORIGIN}/recording",
            recording_status_callback_event=["in-progress", "completed"],
        )
        await stage.settled()
        told = [r for r in stage.app.reports if "RecordingStatus" in r]
        assert [r["RecordingStatus"] for r in told] == ["in-progress", "completed"]
        assert {r["RecordingTrack"] for r in told} == {"both"}
        assert all(r["RecordingStartTime"].endswith("+0000") for r in told)
        (last,) = [r for r in stage.app.reports if r.get("CallDuration")]
        assert (last["RecordingDuration"], last["RecordingUrl"]) == ("1", told[1]["RecordingUrl"])
        found = await asyncio.to_thread(
            requests.get, f"{last['RecordingUrl']}.wav", auth=(ACCOUNT, TOKEN), timeout=5
        )
        with wave.open(io.BytesIO(found.content)) as file:
            assert (file.getnchannels(), file.getframerate()) == (2, 8_000)
            assert file.getnframes() >= 8_000


async def test_a_fallback_is_asked_by_its_method_and_told_what_failed() -> None:
    async with staged(ANSWER) as stage:
        url = stage.app.xml("/voice", "", status=502)
        fallback = stage.app.xml("/fallback", "<Hangup/>")
        await stage.place(twiml=None, url=url, fallback_url=fallback, fallback_method="POST")
        await stage.settled()
        (form,) = stage.app.asked("/fallback")
        assert (form["ErrorCode"], form["ErrorUrl"]) == ("11200", url)
        call = await stage.place(twiml=None, url=url, fallback_url=fallback, fallback_method="GET")
        events = stage.carrier.calls[call.sid].events
        await wait_for(lambda: any(e.method == "GET" for e in events))
        (asked,) = [e.url for e in events if e.method == "GET"]
        assert "ErrorCode=11200" in asked
