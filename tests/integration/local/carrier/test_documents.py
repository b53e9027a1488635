"""TwiML on an answered call, as the application sees it and as the people on the line hear it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web

from local.carrier.far_end import MachineVerdict, Pickup, PickupPlan
from tests.integration.local.carrier.stage import (
    ANSWER,
    CALLEE,
    ORIGIN,
    STREAM,
    Person,
    Stage,
    staged,
    wait_for,
)

COLLEAGUE = "+34600000077"
STREAMING = f'<Connect><Stream url="{STREAM}/media"/></Connect>'


def twiml(verbs: str) -> str:
    return f"<Response>{verbs}</Response>"


async def codes(stage: Stage, sid: str) -> list[str]:
    notes = await asyncio.to_thread(stage.client.calls(sid).notifications.list)
    return [note.error_code for note in notes]


async def test_keys_are_gathered_and_posted_and_the_answer_is_run_next() -> None:
    async with staged(ANSWER) as stage:
        stage.app.person.digits = [(40, "4"), (80, "2"), (120, "#")]
        action = stage.app.xml("/digits", "<Hangup/>")
        await stage.place(twiml=twiml(f'<Gather action="{action}" timeout="5"/><Pause/>'))
        await stage.settled()
        assert [form["Digits"] for form in stage.app.asked("/digits")] == ["42"]


async def test_without_a_key_the_next_verb_follows() -> None:
    async with staged(ANSWER) as stage:
        action = stage.app.xml("/digits", "<Hangup/>")
        after = stage.app.xml("/after", "<Hangup/>")
        document = f'<Gather action="{action}" timeout="0"/><Redirect>{after}</Redirect>'
        await stage.place(twiml=twiml(document))
        await stage.settled()
        assert (stage.app.asked("/digits"), len(stage.app.asked("/after"))) == ([], 1)


async def test_two_people_are_joined_until_one_hangs_up() -> None:
    async with staged(ANSWER) as stage:
        colleague = Person(PickupPlan(after_ms=20), voice=b"\x33" * 160)
        colleague.leave_at_ms = 400
        stage.app.others[COLLEAGUE] = colleague
        action = stage.app.xml("/joined", "<Hangup/>")
        call = await stage.place(
            twiml=twiml(f'<Dial action="{action}"><Number>{COLLEAGUE}</Number></Dial>')
        )
        await stage.settled()
        (result,) = stage.app.asked("/joined")
        assert (result["DialCallStatus"], result["DialBridged"]) == ("completed", "true")
        assert stage.app.person.voice in bytes(colleague.heard)
        assert colleague.voice in bytes(stage.app.person.heard)
        second = await asyncio.to_thread(stage.client.calls(result["DialCallSid"]).fetch)
        assert (second.parent_call_sid, second.direction) == (call.sid, "outbound-dial")


@pytest.mark.parametrize(
    ("number", "plan", "status"),
    [
        (COLLEAGUE, PickupPlan(Pickup.BUSY, 20), "busy"),
        (COLLEAGUE, PickupPlan(Pickup.NO_ANSWER, 20), "no-answer"),
        (COLLEAGUE, None, "failed"),
        ("+15005550006", None, "failed"),
        ("600", None, "failed"),
    ],
)
async def test_a_colleague_who_cannot_be_reached(
    number: str, plan: PickupPlan | None, status: str
) -> None:
    async with staged(ANSWER) as stage:
        if plan is not None:
            stage.app.others[number] = Person(plan)
        action = stage.app.xml("/joined", "<Hangup/>")
        await stage.place(twiml=twiml(f'<Dial action="{action}">{number}</Dial>'))
        await stage.settled()
        assert [form["DialCallStatus"] for form in stage.app.asked("/joined")] == [status]


async def test_a_message_is_recorded_until_the_far_end_is_silent() -> None:
    async with staged(ANSWER) as stage:
        stage.app.person.silent_from_ms = 1_400
        action = stage.app.xml("/message", "<Hangup/>")
        document = f'<Record action="{action}" timeout="1" playBeep="false"/>'
        await stage.place(twiml=twiml(document))
        await stage.settled()
        (result,) = stage.app.asked("/message")
        assert int(result["RecordingDuration"]) in (2, 3)
        assert result["RecordingUrl"].endswith(result["RecordingSid"])


async def test_an_update_replaces_the_running_document_and_the_action_is_asked_in_vain() -> None:
    async with staged(ANSWER) as stage:
        stage.app.xml("/action", "<Pause length='60'/>")
        connect = f'<Connect action="{ORIGIN}/action"><Stream url="{STREAM}/media"/></Connect>'
        call = await stage.place(twiml=twiml(connect))
        await asyncio.wait_for(stage.app.streams.get(), 5)
        update = stage.client.calls(call.sid).update
        await asyncio.to_thread(update, twiml=twiml("<Hangup/>"))
        await stage.settled()
        assert stage.app.messages[-1]["event"] == "stop"
        assert len(stage.app.asked("/action")) == 1


async def test_a_fetched_document_and_its_fallback() -> None:
    async with staged(ANSWER) as stage:
        url = stage.app.xml("/voice", "", status=502)
        fallback = stage.app.xml("/fallback", "<Hangup/>")
        call = await stage.place(twiml=None, url=url, fallback_url=fallback)
        await stage.settled()
        assert len(stage.app.asked("/fallback")) == 1
        assert await codes(stage, call.sid) == ["11200"]


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (web.Response(text="<Response>", content_type="text/xml"), "12100"),
        (web.Response(text="<Reply/>", content_type="text/xml"), "12102"),
        (web.Response(text="<Response/>", content_type="text/plain"), "12300"),
        (web.Response(text="<Response>" + " " * 70_000, content_type="text/xml"), "11750"),
        (web.Response(text="", content_type="text/xml"), "11770"),
    ],
)
async def test_documents_that_cannot_be_run_end_the_call_with_a_note(
    response: web.Response, code: str
) -> None:
    async with staged(ANSWER, application_error_ms=40) as stage:
        stage.app.documents["/voice"] = response
        call = await stage.place(twiml=None, url=f"{ORIGIN}/voice")
        await stage.settled()
        assert await codes(stage, call.sid) == [code]
        assert stage.app.statuses()[-1] == "completed"


@pytest.mark.parametrize(
    ("stream", "code"),
    [
        ('<Stream url="ws://app.test/media"/>', "31922"),
        (f'<Stream url="{STREAM}/media?x=1"/>', "31920"),
        (f'<Stream url="{STREAM}/media" track="both_tracks"/>', "31941"),
        (f'<Stream url="{STREAM}/nowhere"/>', "31920"),
        ('<Stream url="wss://elsewhere.test/media"/>', "31904"),
        (
            f'<Stream url="{STREAM}/media"><Parameter name="t" value="{"x" * 500}"/></Stream>',
            "12200",
        ),
    ],
)
async def test_streams_that_are_refused_fall_through(stream: str, code: str) -> None:
    async with staged(ANSWER) as stage:
        document = f"<Connect>{stream}</Connect><Sing/><Hangup/>"
        call = await stage.place(twiml=twiml(document))
        await stage.settled()
        assert await codes(stage, call.sid) == [code, "12200"]
        assert stage.app.starts == []


async def test_a_one_way_stream_hears_both_and_may_say_nothing() -> None:
    async with staged(ANSWER) as stage:
        callback = f"{ORIGIN}/stream"
        document = (
            f'<Start><Stream name="ear" url="{STREAM}/media" track="both_tracks"'
            f' statusCallback="{callback}"/></Start><Pause length="1"/>'
            '<Stop><Stream name="ear"/></Stop><Hangup/>'
        )
        call = await stage.place(twiml=twiml(document))
        socket = await asyncio.wait_for(stage.app.streams.get(), 5)
        await socket.send_str('{"event": "clear", "streamSid": "x"}')
        await stage.settled()
        tracks = {frame["media"]["track"] for frame in stage.app.frames}
        assert tracks == {"inbound", "outbound"}
        assert await codes(stage, call.sid) == ["31951"]
        assert len(stage.carrier.violations) == 1
        events = [r["StreamEvent"] for r in stage.app.reports if "StreamEvent" in r]
        assert events == ["stream-started", "stream-stopped"]


async def test_streams_and_recordings_over_rest() -> None:
    async with staged(ANSWER) as stage:
        call = await stage.place(twiml=twiml(STREAMING))
        await asyncio.wait_for(stage.app.streams.get(), 5)
        resource = stage.client.calls(call.sid)

        def exercise() -> tuple[Any, ...]:
            stream = resource.streams.create(
                url=f"{STREAM}/media", name="ear", parameter1_name="who", parameter1_value="me"
            )
            stopped = resource.streams("ear").update(status="stopped")
            recording = resource.recordings.create(recording_channels="dual")
            paused = resource.recordings("Twilio.CURRENT").update(status="paused")
            ended = resource.recordings(recording.sid).update(status="stopped")
            listed = resource.recordings.list()
            return stream, stopped, recording, paused, ended, listed

        stream, stopped, recording, paused, ended, listed = await asyncio.to_thread(exercise)
        assert (stream.status, stopped.status) == ("in-progress", "stopped")
        assert stage.app.starts[1]["start"]["customParameters"] == {"who": "me"}
        assert [recording.status, paused.status, ended.status] == [
            "in-progress",
            "paused",
            "completed",
        ]
        assert [one.sid for one in listed] == [recording.sid]
        await asyncio.to_thread(resource.update, status="completed")
        await stage.settled()


async def test_a_synchronous_verdict_comes_with_the_request_for_the_document() -> None:
    plan = PickupPlan(after_ms=20, verdict=MachineVerdict.MACHINE_START, verdict_after_ms=60)
    async with staged(plan) as stage:
        url = stage.app.xml("/voice", "<Hangup/>")
        await stage.place(twiml=None, url=url, machine_detection="Enable")
        await stage.settled()
        (form,) = stage.app.asked("/voice")
        assert (form["AnsweredBy"], form["MachineDetectionDuration"]) == ("machine_start", "60")


async def test_the_time_limit_and_what_the_carrier_keeps_of_a_call() -> None:
    async with staged(ANSWER, price_after_ms=0) as stage:
        call = await stage.place(twiml=twiml("<Pause length='30'/>"), time_limit=1)
        await stage.settled()
        resource = stage.client.calls(call.sid)
        await wait_for(lambda: stage.carrier.calls[call.sid].price_usd is not None)
        await wait_for(lambda: len(stage.carrier.calls[call.sid].events) == 4)
        fetched = await asyncio.to_thread(resource.fetch)
        assert (fetched.price, fetched.duration) == ("-0.04860", "1")
        assert await codes(stage, call.sid) == ["32015"]
        events = await asyncio.to_thread(resource.events.list)
        assert [event.response["response_code"] for event in events] == [204] * 4
        assert await asyncio.to_thread(resource.delete)
        assert call.sid not in stage.carrier.calls
        assert not any(one.to == CALLEE for one in await asyncio.to_thread(stage.client.calls.list))
