"""Streams that may not enter: each is told so, leaves a trace for the operator, and disturbs nobody."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from media_service import reception
from shared.domain.call import Fact, FactKind
from tests.integration.media_service.house import (
    World,
    open_house,
    start_message,
    token,
)

CONNECTED = json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"})
RATE = {"encoding": "audio/x-mulaw", "sampleRate": 16_000, "channels": 1}


def with_token(text: str) -> str:
    return start_message("c1", customParameters={"token": text})


REFUSED: dict[str, tuple[Callable[[], list[str | bytes]], str]] = {
    "a binary frame": (lambda: [start_message("c1").encode()], "a binary frame"),
    "no JSON": (lambda: [CONNECTED, "600000001"], "not a Media Streams message"),
    "another first message": (
        lambda: [json.dumps({"event": "media", "streamSid": "MZ1", "media": {"payload": "AA=="}})],
        "neither connected nor start",
    ),
    "an empty start": (
        lambda: [json.dumps({"event": "start", "streamSid": "MZ1"})],
        "the start message is empty",
    ),
    "a start without its fields": (
        lambda: [json.dumps({"event": "start", "start": {"streamSid": "MZ1"}})],
        "not a Media Streams message",
    ),
    "another format": (lambda: [start_message("c1", mediaFormat=RATE)], "not 8 kHz mu-law"),
    "no token": (lambda: [start_message("c1", customParameters={})], "malformed"),
    "a forged token": (lambda: [with_token(token("c1", secret=b"x" * 32))], "signature"),
    "a token of garbage": (lambda: [with_token(token("c1")[:-1] + "é")], "malformed"),
    "a token of nobody's call": (lambda: [start_message("c9")], "no such call"),
}


async def refusal(world: World, frames: list[str | bytes]) -> int | None:
    async with world.stream() as socket:
        for frame in frames:
            await socket.send(frame)
        await socket.wait_closed()
        return socket.close_code


@pytest.mark.parametrize("case", REFUSED)
async def test_streams_that_may_not_enter(case: str, caplog: pytest.LogCaptureFixture) -> None:
    frames, why = REFUSED[case]
    async with open_house() as world, world.line("running", sid="MZ7") as running:
        world.call("c1")
        session = await world.model.next()
        assert await refusal(world, frames()) == 1008
        refusals = [r for r in caplog.records if r.message == "stream refused"]
        assert len(refusals) == world.load.refused == 1
        assert why in refusals[0].cause
        assert "600000001" not in caplog.text
        # No model session was opened for it, no lease taken, and the other call goes on.
        assert len(world.model.open) == 1
        assert "c1" not in world.store.fences
        await running.frame("R09PTg==")
        await session.until("input_audio_buffer.append")
        assert (session.sound, world.load.calls) == (["R09PTg=="], 1)


async def test_a_token_opens_one_stream_only() -> None:
    async with open_house() as world, world.line() as line:
        session = await world.model.next()
        assert await refusal(world, [start_message("c1")]) == 1008
        assert world.load.refused == 1
        # The session that was prepared for it is not left open.
        await world.until(lambda: world.model.open == {session})
        await line.frame("R09PTg==")
        await session.until("input_audio_buffer.append")
        assert (session.sound, world.store.fences) == (["R09PTg=="], {"c1": 1})


async def test_a_call_that_is_over_takes_no_stream() -> None:
    async with open_house() as world:
        call = world.call("c1")
        closed = Fact(call.created_at, FactKind.CONVERSATION_CLOSED, 1, "test")
        world.store.calls["c1"] = call.with_fact(closed)
        assert await refusal(world, [start_message("c1")]) == 1008
        assert world.model.knocks == 0


@pytest.mark.parametrize("moment", ["get", "take", "record"])
async def test_a_store_that_fails_refuses_the_stream_for_now(
    moment: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_house() as world:
        world.call("c1")
        asked = world.store._asked

        def fails(request: str) -> None:
            asked(request)
            if request == moment:
                raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "GetItem")

        world.store._asked = fails  # type: ignore[method-assign]
        assert await refusal(world, [start_message("c1")]) == 1013
        assert [r.cause for r in caplog.records if r.message == "stream refused"] == ["ClientError"]
        await world.model.all_closed()
        await world.until_idle()
        assert (world.load.refused, world.load.admitted) == (1, 0)


async def test_a_stream_that_does_not_start_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reception, "START_WITHIN_S", 0.1)
    async with open_house() as world:
        assert await refusal(world, [CONNECTED]) == 1013
        assert world.load.refused == 1
        await world.until_idle()


async def test_a_stream_that_is_closed_before_it_starts_is_no_refusal() -> None:
    async with open_house() as world:
        async with world.stream() as socket:
            await socket.send(CONNECTED)
        await world.until_idle()
        assert (world.load.refused, world.load.admitted) == (0, 0)
