"""Each trouble of the service that a test can switch on, and its sound formats."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest
from openai import APIStatusError
from websockets.exceptions import ConnectionClosed, InvalidStatus

from local.realtime.mind.port import Call, MindReply, MindView
from local.realtime.server import RealtimeEmulator
from local.realtime.settings import EmulatorSettings, Expiry, Faults
from tests.integration.local.realtime.stage import (
    MODEL,
    FixedEars,
    Parrot,
    Tone,
    client,
    configured,
    say,
    until,
)


@pytest.mark.parametrize("status", [401, 403, 429, 503])
async def test_an_upgrade_is_refused_once(emulator: RealtimeEmulator, status: int) -> None:
    emulator.set_faults(Faults(refuse_upgrades=1, refuse_status=status))
    with pytest.raises((InvalidStatus, APIStatusError)) as refusal:
        async with client(emulator).realtime.connect(model=MODEL):
            pass
    assert str(status) in str(refusal.value)
    async with client(emulator).realtime.connect(model=MODEL) as connection:
        await until(connection, "session.created")


@pytest.mark.parametrize(
    ("expiry", "says", "closes"),
    [
        (Expiry.ERROR_AND_CLOSE, True, True),
        (Expiry.ERROR, True, False),
        (Expiry.CLOSE, False, True),
    ],
)
async def test_how_a_session_ends_by_age(
    emulator: RealtimeEmulator, expiry: Expiry, says: bool, closes: bool
) -> None:
    emulator.set_faults(Faults(expire_after_s=0.05, expiry=expiry))
    async with client(emulator).realtime.connect(model=MODEL) as connection:
        if says:
            assert (await until(connection, "error")).error.code == "session_expired"
        if closes:
            with pytest.raises(ConnectionClosed) as end:
                await until(connection, "never")
            assert end.value.rcvd is not None
            assert end.value.rcvd.code == 1_001
        else:
            await connection.input_audio_buffer.clear()
            await until(connection, "input_audio_buffer.cleared")


@pytest.mark.parametrize("code", [1_006, 1_011, 1_012, 1_013])
async def test_the_socket_goes_away_in_the_middle_of_a_reply(
    emulator: RealtimeEmulator, code: int
) -> None:
    emulator.set_faults(Faults(close_mid_response=1, close_code=code))
    async with client(emulator).realtime.connect(model=MODEL) as connection:
        await connection.response.create()
        await until(connection, "response.output_audio.delta")
        with pytest.raises(ConnectionClosed) as end:
            await until(connection, "response.done")
        assert (end.value.rcvd.code if end.value.rcvd else 1_006) == code


@pytest.mark.parametrize(
    ("faults", "status", "reason"),
    [
        (Faults(fail_responses=1, fail_code="insufficient_quota"), "failed", None),
        (Faults(incomplete_responses=1), "incomplete", "max_output_tokens"),
        (
            Faults(incomplete_responses=1, incomplete_reason="content_filter"),
            "incomplete",
            "content_filter",
        ),
    ],
)
async def test_replies_that_do_not_complete(
    emulator: RealtimeEmulator, faults: Faults, status: str, reason: str | None
) -> None:
    emulator.set_faults(faults)
    async with client(emulator).realtime.connect(model=MODEL) as connection:
        await connection.response.create()
        done = await until(connection, "response.done")
        assert (done.response.status, done.response.status_details.reason) == (status, reason)
        await connection.response.create()
        assert (await until(connection, "response.done")).response.status == "completed"


async def test_a_limit_of_tokens_is_kept(emulator: RealtimeEmulator) -> None:
    async with client(emulator).realtime.connect(model=MODEL) as connection:
        await configured(connection)
        await connection.response.create(response={"max_output_tokens": 10})
        done = await until(connection, "response.done")
        assert done.response.status_details.reason == "max_output_tokens"
        assert done.response.usage.output_token_details.audio_tokens <= 10


async def test_a_reply_that_never_comes_can_be_cancelled_no_more_than_the_real_one(
    emulator: RealtimeEmulator,
) -> None:
    emulator.set_faults(Faults(stall_responses=1))
    async with client(emulator).realtime.connect(model=MODEL) as connection:
        await connection.response.create()
        await until(connection, "response.created")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(until(connection, "response.done"), 0.2)


async def test_the_end_of_a_reply_may_come_after_the_next_has_begun(
    emulator: RealtimeEmulator,
) -> None:
    emulator.set_faults(Faults(late_done=1))
    async with client(emulator).realtime.connect(model=MODEL) as connection:
        await connection.response.create()
        first = (await until(connection, "response.created")).response.id
        await until(connection, "response.output_item.done")
        await asyncio.sleep(0)
        await connection.response.create()
        order = []
        while len(order) < 2:
            event = await connection.recv()
            if event.type in ("response.created", "response.done"):
                order.append((event.type, event.response.id == first))
        assert order == [("response.created", False), ("response.done", True)]


async def test_what_is_missing_strange_or_doubled(emulator: RealtimeEmulator) -> None:
    emulator.set_faults(
        Faults(
            missing_usage=True,
            missing_rate_limits=True,
            unknown_events=True,
            extra_fields=True,
            odd_deltas=True,
            repeat_tool_calls=True,
        )
    )
    tool = {"type": "function", "name": "book", "parameters": {"type": "object", "properties": {}}}
    async with client(emulator).realtime.connect(model=MODEL) as connection:
        await configured(connection, tools=[tool])
        await say(connection, 400)
        await until(connection, "input_audio_buffer.committed")
        await connection.response.create()
        seen: list[dict[str, Any]] = []
        while not seen or seen[-1]["type"] != "response.done":
            seen.append(json.loads(await connection.recv_bytes()))
        kinds = [event["type"] for event in seen]
        assert kinds.count("response.function_call_arguments.done") == 2
        assert kinds.count("session.weather") == len(kinds) // 2
        assert seen[-1]["response"]["usage"] is None
        assert all(
            "not_documented" in event for event in seen if event["type"] != "session.weather"
        )
        sizes = {
            len(base64.b64decode(event["delta"])) % 160
            for event in seen
            if event["type"] == "response.output_audio.delta"
        }
        assert sizes - {0}


async def test_transcripts_late_and_empty(emulator: RealtimeEmulator) -> None:
    emulator.set_faults(Faults(transcription_empty=True, transcription_delay_s=0.05))
    async with client(emulator).realtime.connect(model=MODEL) as connection:
        await configured(connection)
        await say(connection, 400)
        await until(connection, "input_audio_buffer.committed")
        told = await until(connection, "conversation.item.input_audio_transcription.completed")
        assert told.transcript == ""


async def test_an_error_out_of_the_blue_leaves_the_session_usable(
    emulator: RealtimeEmulator,
) -> None:
    emulator.set_faults(Faults(server_error_after_s=0.0))
    async with client(emulator).realtime.connect(model=MODEL) as connection:
        assert (await until(connection, "error")).error.type == "server_error"
        await connection.response.create()
        await until(connection, "response.done")


class TwoHands(Parrot):
    """Calls two tools in one reply."""

    def reply(self, view: MindView) -> MindReply:
        return MindReply((Call("first", {}), Call("second", {})))


async def test_two_tools_in_one_reply() -> None:
    mind = TwoHands()
    service = RealtimeEmulator(EmulatorSettings(think_ms=5), FixedEars(), Tone(), mind, mind)
    await service.start()
    try:
        async with client(service).realtime.connect(model=MODEL) as connection:
            await connection.response.create()
            done = await until(connection, "response.done")
            assert [item.name for item in done.response.output] == ["first", "second"]
    finally:
        await service.stop()


@pytest.mark.parametrize(
    ("kind", "bytes_per_ms"), [("audio/pcmu", 8), ("audio/pcma", 8), ("audio/pcm", 48)]
)
async def test_sound_formats(emulator: RealtimeEmulator, kind: str, bytes_per_ms: int) -> None:
    rate = {"rate": 24_000} if kind == "audio/pcm" else {}
    form = {"type": kind, **rate}
    async with client(emulator).realtime.connect(model=MODEL) as connection:
        audio = {"input": {"format": form, "turn_detection": None}, "output": {"format": form}}
        await connection.session.update(session={"type": "realtime", "audio": audio})  # type: ignore[typeddict-item]
        await until(connection, "session.updated")
        sound = base64.b64encode(bytes(300 * bytes_per_ms)).decode()
        await connection.input_audio_buffer.append(audio=sound)
        await connection.input_audio_buffer.commit()
        item = (await until(connection, "input_audio_buffer.committed")).item_id
        await connection.conversation.item.retrieve(item_id=item)
        kept = (await until(connection, "conversation.item.retrieved")).item.content[0].audio
        assert abs(len(base64.b64decode(kept)) - 300 * bytes_per_ms) <= 2 * bytes_per_ms
        await connection.response.create()
        spoken = 0
        while True:
            event = await connection.recv()
            if event.type == "response.output_audio.delta":
                spoken += len(base64.b64decode(event.delta))
            elif event.type == "response.done":
                break
        assert abs(spoken - 1_300 * bytes_per_ms) <= 2 * bytes_per_ms
