"""A stream's handshake, what breaks its protocol, and how it ends, as Twilio has it."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from local.carrier.settings import CarrierSettings, Faults, StreamFaults
from local.carrier.stream import MediaStream
from local.carrier.stream_order import StreamOrder, StreamRefused
from tests.integration.local.carrier.stage import (
    ACCOUNT,
    ANSWER,
    CALLER,
    ORIGIN,
    STREAM,
    TOKEN,
    marks,
    staged,
    wait_for,
)

NOUN = f'<Stream url="{STREAM}/media" statusCallback="{ORIGIN}/stream"/>'
STREAMING = f"<Response><Connect>{NOUN}</Connect><Connect>{NOUN}</Connect></Response>"


async def test_a_bad_value_in_a_frame_is_ignored_and_noted_once_for_each_stream() -> None:
    async with staged(ANSWER) as stage:
        call = await stage.place(twiml=STREAMING)
        for _ in range(2):
            peer = await asyncio.wait_for(stage.app.streams.get(), 5)
            sid = stage.app.starts[-1]["streamSid"]
            for bad in (
                {"event": "media", "media": {"payload": 5}},
                {"event": ["media"], "media": {"payload": ""}},
                {"event": "mark", "mark": {"name": 7}},
            ):
                await peer.send_str(json.dumps({"streamSid": sid, **bad}))
            good = {"event": "mark", "streamSid": sid, "mark": {"name": sid}}
            await peer.send_str(json.dumps(good))
            await wait_for(lambda sid=sid: sid in marks(stage.app))
            await peer.close()
        await stage.settled()
        codes = [note.code for note in stage.carrier.calls[call.sid].notes]
        assert codes == [31951, 31921, 31951, 31921]
        assert len(stage.carrier.violations) == 6
        notes = await asyncio.to_thread(stage.client.calls(call.sid).notifications.list)
        assert [note.log for note in notes] == ["1", "0", "1", "0"]


async def test_a_stream_may_break_while_the_call_goes_on() -> None:
    async with staged(ANSWER, Faults(stream=StreamFaults(dies_at_ms=200))) as stage:
        call = await stage.place(twiml=STREAMING)
        for _ in range(2):
            await asyncio.wait_for(stage.app.streams.get(), 5)
        placed = stage.carrier.calls[call.sid]
        assert not placed.is_over
        placed.end("completed")
        await stage.settled()
        assert [note.code for note in placed.notes] == [31903]


async def test_two_streams_in_one_connect_are_an_error() -> None:
    async with staged(ANSWER) as stage:
        document = f"<Response><Connect>{NOUN}{NOUN}</Connect><Hangup/></Response>"
        call = await stage.place(twiml=document)
        await stage.settled()
        assert [note.code for note in stage.carrier.calls[call.sid].notes] == [31900, 31900]
        await wait_for(
            lambda: sum(r.get("StreamEvent") == "stream-error" for r in stage.app.reports) == 2
        )
        assert stage.app.starts == []


async def test_a_fifth_one_way_track_is_an_error() -> None:
    async with staged(ANSWER) as stage:
        both = f'<Stream url="{STREAM}/media" track="both_tracks"/>'
        one = f'<Stream url="{STREAM}/media"/>'
        call = await stage.place(
            twiml=f"<Response><Start>{both}{both}{one}</Start><Hangup/></Response>"
        )
        await stage.settled()
        assert [note.code for note in stage.carrier.calls[call.sid].notes] == [31900]


async def test_every_stream_counts_its_own_time_from_its_start() -> None:
    async with staged(ANSWER) as stage:
        one = f'<Stream url="{STREAM}/media" name="ear"/>'
        await stage.place(
            twiml=f'<Response><Pause length="1"/><Start>{one}</Start><Pause length="1"/></Response>'
        )
        await wait_for(lambda: len(stage.app.frames) > 2)
        assert [f["media"]["timestamp"] for f in stage.app.frames[:3]] == ["40", "60", "80"]


# --- against servers that are no good


def stream_to(port: int, notes: list[int], unread_bytes_max: int = 65_536) -> MediaStream:
    settings = CarrierSettings(
        ACCOUNT,
        TOKEN,
        frozenset({CALLER}),
        {STREAM: f"ws://127.0.0.1:{port}"},
        unread_bytes_max=unread_bytes_max,
    )
    violations: list[str] = []
    order = StreamOrder(f"{STREAM}/media")
    return MediaStream(settings, "CA1", order, notes.append, violations.append)


async def serving(
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
) -> tuple[web.AppRunner, int]:
    app = web.Application()
    app.router.add_get("/{path:.*}", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, runner.addresses[0][1]


async def test_a_handshake_carries_twilios_headers_and_follows_no_redirect() -> None:
    seen: list[web.Request] = []

    async def elsewhere(request: web.Request) -> web.Response:
        seen.append(request)
        return web.Response(status=302, headers={"Location": "/other"})

    runner, port = await serving(elsewhere)
    with pytest.raises(StreamRefused) as refusal:
        await stream_to(port, []).open()
    await runner.cleanup()
    assert refusal.value.code == 31920
    assert [request.path for request in seen] == ["/media"]
    headers = seen[0].headers
    assert (headers["Accept-Encoding"], headers["User-Agent"]) == ("gzip", "Twilio.TmeWs/1.0")
    assert not {"Origin", "Sec-WebSocket-Extensions"} & set(headers)


async def test_a_port_where_nobody_listens_refuses_the_connection() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(StreamRefused) as refusal:
        await stream_to(port, []).open()
    assert refusal.value.code == 31902


async def test_frames_are_dropped_where_the_application_reads_too_slowly() -> None:
    over = asyncio.Event()

    async def sleepy(request: web.Request) -> web.WebSocketResponse:
        answer = web.WebSocketResponse()
        await answer.prepare(request)
        await over.wait()
        return answer

    runner, port = await serving(sleepy)
    notes: list[int] = []
    stream = stream_to(port, notes, unread_bytes_max=4_096)
    await stream.open()
    for number in range(100_000):
        stream.media(b"\x55" * 160, number * 20)
        if number % 500 == 0:
            await asyncio.sleep(0)
        if notes and number > 50_000:
            break
    assert notes == [31930]
    over.set()
    await stream.gone()
    await runner.cleanup()
