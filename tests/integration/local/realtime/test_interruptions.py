"""Replies that are cut off: by the callee, by the client, by a part of the service that fails."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from openai.resources.realtime.realtime import AsyncRealtimeConnection

from local.realtime.conversation import seen
from local.realtime.mind.port import MindReply, MindView, Said, Say
from local.realtime.reply import STRAGGLERS
from local.realtime.server import RealtimeEmulator
from local.speech.errors import WorkerLost
from local.speech.ports import Speaker, Utterance
from tests.integration.local.realtime.stage import (
    MODEL,
    Parrot,
    client,
    configured,
    emulated,
    refused,
    say,
    until,
)

LONG = " ".join(["palabra"] * 100) + "."


class Talker(Parrot):
    """Speaks for ten seconds."""

    def reply(self, view: MindView) -> MindReply:
        return MindReply((Say("aparte" if view.wants_text else LONG),))


def heard_by(interrupts: bool) -> dict[str, Any]:
    detection = {
        "type": "server_vad",
        "silence_duration_ms": 200,
        "create_response": False,
        "interrupt_response": interrupts,
    }
    audio = {"format": {"type": "audio/pcmu"}}
    return {"input": {**audio, "turn_detection": detection}, "output": audio}


async def until_done(connection: AsyncRealtimeConnection) -> list[Any]:
    events = [await connection.recv()]
    while events[-1].type != "response.done":
        events.append(await connection.recv())
    return events


async def test_speech_interrupts_a_reply_after_a_few_stragglers() -> None:
    async with (
        emulated(Talker()) as service,
        client(service).realtime.connect(model=MODEL) as connection,
    ):
        await configured(connection, audio=heard_by(interrupts=True))
        await connection.response.create()
        await until(connection, "response.output_audio.delta")
        await say(connection, 400, quiet_ms=0)
        await until(connection, "input_audio_buffer.speech_started")
        events = await until_done(connection)
        kinds = [event.type for event in events]
        assert kinds.count("response.output_audio.delta") <= STRAGGLERS
        done = events[-1].response
        assert (done.status, done.status_details.reason) == ("cancelled", "turn_detected")
        item = next(one.item for one in events if one.type == "conversation.item.done")
        assert item.status == "incomplete"
        assert done.usage is not None


async def test_speech_lets_a_reply_go_on_where_it_may_not_interrupt(
    emulator: RealtimeEmulator,
) -> None:
    async with client(emulator).realtime.connect(model=MODEL) as connection:
        await configured(connection, audio=heard_by(interrupts=False))
        await connection.response.create()
        await until(connection, "response.output_audio.delta")
        await say(connection, 400, quiet_ms=0)
        assert (await until_done(connection))[-1].response.status == "completed"


async def test_a_side_reply_is_cancelled_only_by_name() -> None:
    async with (
        emulated(Talker(), think_ms=60_000) as service,
        client(service).realtime.connect(model=MODEL) as connection,
    ):
        await connection.response.create(
            response={"conversation": "none", "output_modalities": ["text"]}
        )
        aside = (await until(connection, "response.created")).response
        error = await refused(connection, {"type": "response.cancel"})
        assert error.code == "response_cancel_not_active"
        await connection.response.cancel(response_id=aside.id)
        assert (await until(connection, "response.done")).response.status == "cancelled"


async def test_the_voice_is_settled_by_the_first_sound_and_not_by_text() -> None:
    voice = {"type": "session.update", "session": {"type": "realtime", "audio": {"output": {}}}}
    async with (
        emulated(Talker()) as service,
        client(service).realtime.connect(model=MODEL) as connection,
    ):
        await connection.response.create(
            response={"conversation": "none", "output_modalities": ["text"]}
        )
        await until(connection, "response.done")
        voice["session"]["audio"]["output"]["voice"] = "cedar"  # type: ignore[index]
        await connection.send_raw(json.dumps(voice))
        await until(connection, "session.updated")
        await connection.response.create()
        await until(connection, "response.output_audio.delta")
        voice["session"]["audio"]["output"]["voice"] = "alloy"  # type: ignore[index]
        assert (await refused(connection, voice)).code == "cannot_update_voice"


async def test_what_is_truncated_while_it_is_made_gets_no_more_text() -> None:
    async with (
        emulated(Talker()) as service,
        client(service).realtime.connect(model=MODEL) as connection,
    ):
        await connection.response.create()
        item = (await until(connection, "response.output_audio.delta")).item_id
        await connection.conversation.item.truncate(item_id=item, content_index=0, audio_end_ms=100)
        await until(connection, "conversation.item.truncated")
        await until(connection, "response.done")
        await connection.conversation.item.retrieve(item_id=item)
        got: Any = (await until(connection, "conversation.item.retrieved")).item
        assert got.content[0].transcript == ""
        (said,) = seen(service.sessions[-1].conversation.items)
        assert isinstance(said, Said)
        assert (said.text, said.cut) == ("palabra", True)


async def test_a_retrieved_reply_has_its_sound_as_far_as_it_was_heard(
    emulator: RealtimeEmulator,
) -> None:
    async with client(emulator).realtime.connect(model=MODEL) as connection:
        await configured(connection)
        await connection.response.create()
        item = (await until(connection, "response.done")).response.output[0].id
        await connection.conversation.item.truncate(item_id=item, content_index=0, audio_end_ms=450)
        await connection.conversation.item.retrieve(item_id=item)
        got: Any = (await until(connection, "conversation.item.retrieved")).item
        assert len(base64.b64decode(got.content[0].audio)) == 450 * 8


class Mute:
    async def speak(self, text: str, speaker: Speaker) -> Utterance:
        raise WorkerLost("the voice is gone")


class Broken(Parrot):
    def reply(self, view: MindView) -> MindReply:
        raise RuntimeError("no thought")


@pytest.mark.parametrize(
    ("mind", "voice"), [(Parrot(), Mute()), (Broken(), None)], ids=["voice", "mind"]
)
async def test_what_fails_inside_ends_the_reply_and_not_the_session(
    mind: Parrot, voice: Mute | None
) -> None:
    async with (
        emulated(mind, voice) as service,
        client(service).realtime.connect(model=MODEL) as connection,
    ):
        for _ in range(2):
            await connection.response.create()
            done = (await until(connection, "response.done")).response
            assert (done.status, done.status_details.error.code) == ("failed", "server_error")
            assert {item.status for item in done.output or []} <= {"incomplete"}
        await connection.input_audio_buffer.clear()
        await until(connection, "input_audio_buffer.cleared")
        assert service.sessions[-1].errors == ["server_error"] * 2
        assert service.sessions[-1].is_idle


async def test_a_callee_who_says_nothing_is_spoken_to(emulator: RealtimeEmulator) -> None:
    audio = heard_by(interrupts=True)
    audio["input"]["turn_detection"] |= {"create_response": True, "idle_timeout_ms": 5_000}
    async with client(emulator).realtime.connect(model=MODEL) as connection:
        await configured(connection, audio=audio)
        await connection.response.create()
        await until(connection, "response.done")
        await say(connection, 0, quiet_ms=1_300 + 5_000)
        silent = await until(connection, "input_audio_buffer.timeout_triggered")
        assert (silent.audio_start_ms, silent.audio_end_ms) == (1_300, 6_300)
        assert (await until(connection, "input_audio_buffer.committed")).item_id == silent.item_id
        assert (await until(connection, "response.done")).response.status == "completed"


async def test_speech_that_a_client_writes_is_heard(emulator: RealtimeEmulator) -> None:
    sound = base64.b64encode(b"\x20" * 8 * 300).decode()
    part = {"type": "input_audio", "audio": sound}
    item: Any = {"type": "message", "role": "user", "content": [part]}
    async with client(emulator).realtime.connect(model=MODEL) as connection:
        await configured(connection)
        await connection.conversation.item.create(item=item)
        await connection.response.create()
        done = (await until(connection, "response.done")).response
        assert done.usage.input_token_details.audio_tokens == 3
        heard = seen(emulator.sessions[-1].conversation.items)[0]
        assert isinstance(heard, Said)
        assert heard.text == "palabras de 300 ms"
