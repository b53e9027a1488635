"""Sessions of the model: had or not, none is left open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.server import serve

from media_service.engine import events as ev
from media_service.engine.actions import CreateReply, Listen, SendClear
from media_service.model import openai_realtime
from media_service.model.openai_realtime import OpenAiRealtime, RealtimeEndpoint
from media_service.model.port import ModelUnavailable
from tests.integration.media_service.house import AGENT, ScriptedModel


@asynccontextmanager
async def service(**script: object) -> AsyncIterator[tuple[ScriptedModel, OpenAiRealtime]]:
    model = ScriptedModel(**script)  # type: ignore[arg-type]
    async with serve(model.handle, "127.0.0.1", 0, process_request=model.decide) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        endpoint = RealtimeEndpoint(f"ws://127.0.0.1:{port}", "key")
        yield model, OpenAiRealtime(endpoint, AGENT, 200)


async def test_a_session_is_configured_before_it_is_given_out() -> None:
    async with service() as (model, realtime):
        session = await realtime.open()
        peer = await model.next()
        (update,) = peer.of("session.update")
        detection = update["session"]["audio"]["input"]["turn_detection"]
        assert detection["silence_duration_ms"] == 200
        assert peer in model.open
        await session.close()
        assert await peer.until_closed() == 1000
        # Once more does no harm.
        await session.close()
        assert model.knocks == 1


async def test_a_session_that_is_not_confirmed_in_time_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(openai_realtime, "OPEN_WITHIN_S", 0.3)
    async with service(confirms=False) as (model, realtime):
        with pytest.raises(ModelUnavailable, match="TimeoutError") as refused:
            await realtime.open()
        assert not refused.value.is_final
        peer = await model.next()
        assert await peer.until_closed() == 1000
        assert len(peer.of("session.update")) == 1


async def test_a_session_that_is_not_wanted_any_more_is_closed() -> None:
    async with service(confirms=False) as (model, realtime):
        opening = asyncio.create_task(realtime.open())
        peer = await model.next()
        await peer.until("session.update")
        assert not opening.done()
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        assert await peer.until_closed() == 1000


@pytest.mark.parametrize(
    ("code", "is_final"), [("server_error", False), ("insufficient_quota", True)]
)
async def test_a_session_that_is_refused_is_closed(code: str, is_final: bool) -> None:
    async with service(error=code) as (model, realtime):
        with pytest.raises(ModelUnavailable) as refused:
            await realtime.open()
        assert (refused.value.code, refused.value.is_final) == (code, is_final)
        await model.all_closed()


async def test_a_refused_upgrade_names_the_services_code() -> None:
    async with service(refusal="invalid_api_key") as (_model, realtime):
        with pytest.raises(ModelUnavailable) as refused:
            await realtime.open()
        assert (refused.value.code, refused.value.is_final) == ("invalid_api_key", True)


async def test_a_service_that_is_not_there_is_unavailable() -> None:
    realtime = OpenAiRealtime(RealtimeEndpoint("ws://127.0.0.1:9", "key"), AGENT, 200)
    with pytest.raises(ModelUnavailable, match="ConnectionRefusedError") as refused:
        await realtime.open()
    assert not refused.value.is_final


async def test_events_bear_the_time_at_which_they_came_however_long_they_wait() -> None:
    async with service() as (model, realtime):
        session = await realtime.open()
        peer = await model.next()
        loop = asyncio.get_running_loop()
        await peer.begins("u1")
        # Its answer comes behind the frame.
        await (await session._connection.ping())
        came_before_s = loop.time()
        arrival = await anext(session.events())
        assert arrival.event == ev.SpeechStarted("u1", 100)
        assert arrival.at_s <= came_before_s
        await session.close()


async def test_unreadable_frames_are_passed_over() -> None:
    async with service() as (model, realtime):
        session = await realtime.open()
        peer = await model.next()
        await peer.say_raw("no json")
        await peer.say("response.output_audio.delta", response_id="r1", item_id="a1", delta="A")
        await peer.begins("u1")
        assert (await anext(session.events())).event == ev.SpeechStarted("u1", 100)
        await session.close()


@pytest.mark.parametrize("code", ["session_expired", "insufficient_quota"])
async def test_some_errors_are_the_end_of_a_session(code: str) -> None:
    async with service() as (model, realtime):
        session = await realtime.open()
        peer = await model.next()
        await peer.say("error", error={"code": "response_cancel_not_active", "event_id": "x"})
        await peer.say("error", error={"code": code})
        events = [arrival.event async for arrival in session.events()]
        refused = ev.ModelRefused("response_cancel_not_active", "x")
        assert events == [refused, ev.ModelLost(code)]
        await session.close()


async def test_a_lost_socket_is_the_end_of_a_session() -> None:
    async with service() as (model, realtime):
        session = await realtime.open()
        await (await model.next()).die()
        assert [arrival.event async for arrival in session.events()] == [ev.ModelLost("1006")]
        await session.close()


async def test_actions_of_the_models_side_are_written_in_order() -> None:
    async with service() as (model, realtime):
        session = await realtime.open()
        peer = await model.next()
        session.perform(Listen(500))
        session.perform(SendClear())
        session.append(b'"////"')
        session.commit("last")
        session.perform(CreateReply("t1"))
        await peer.until("response.create")
        assert [frame["type"] for frame in peer.sent[1:]] == [
            "session.update",
            "input_audio_buffer.append",
            "input_audio_buffer.commit",
            "response.create",
        ]
        assert peer.of("input_audio_buffer.commit")[0]["event_id"] == "last"
        await session.close()
