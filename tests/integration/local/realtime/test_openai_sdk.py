"""The unmodified `openai` SDK holds a conversation with the emulated service."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from openai import BadRequestError
from pydantic import BaseModel, ConfigDict

from local.realtime.conversation import seen
from local.realtime.mind.port import Said
from local.realtime.server import RealtimeEmulator
from local.realtime.settings import Faults
from tests.integration.local.realtime.stage import MODEL, client, configured, say, until


async def test_a_voice_turn_with_transcript_sound_and_usage(emulator: RealtimeEmulator) -> None:
    async with client(emulator).realtime.connect(model=MODEL) as connection:
        created = await connection.recv()
        assert created.type == "session.created"
        await configured(connection)
        await say(connection, 600)
        started = await until(connection, "input_audio_buffer.speech_started")
        stopped = await until(connection, "input_audio_buffer.speech_stopped")
        assert stopped.audio_end_ms - started.audio_start_ms == 800
        assert stopped.item_id == started.item_id
        await until(connection, "conversation.item.done")
        await connection.response.create(response={"metadata": {"tag": "r1"}})
        response = await until(connection, "response.created")
        assert response.response.metadata == {"tag": "r1"}
        sound = b""
        while True:
            event = await connection.recv()
            if event.type == "response.output_audio.delta":
                sound += base64.b64decode(event.delta)
            elif event.type == "response.done":
                break
        assert len(sound) == 13 * 800
        assert event.response.status == "completed"
        assert event.response.usage.output_token_details.audio_tokens == 1_300 // 50


async def test_truncation_is_exact_and_too_much_is_refused(emulator: RealtimeEmulator) -> None:
    async with client(emulator).realtime.connect(model=MODEL) as connection:
        await configured(connection)
        await connection.response.create()
        done = await until(connection, "response.done")
        item = done.response.output[0].id
        await connection.conversation.item.truncate(
            item_id=item, content_index=0, audio_end_ms=99_999
        )
        error = await until(connection, "error")
        assert error.error.code == "invalid_value"
        assert error.error.message == "Audio content of 1300ms is already shorter than 99999ms"
        await connection.conversation.item.truncate(item_id=item, content_index=0, audio_end_ms=450)
        assert (await until(connection, "conversation.item.truncated")).audio_end_ms == 450
        entries = seen(emulator.sessions[-1].conversation.items)
        assert [entry.text for entry in entries if isinstance(entry, Said)] == [
            "uno dos tres cuatro"
        ]


async def test_a_cancelled_reply_ends_as_cancelled_and_a_second_request_is_refused(
    emulator: RealtimeEmulator,
) -> None:
    async with client(emulator).realtime.connect(model=MODEL) as connection:
        await configured(connection)
        await connection.response.create()
        await until(connection, "response.output_audio.delta")
        await connection.response.create(event_id="second")
        error = await until(connection, "error")
        assert (error.error.code, error.error.event_id) == (
            "conversation_already_has_active_response",
            "second",
        )
        await connection.response.cancel()
        done = await until(connection, "response.done")
        assert done.response.status == "cancelled"
        assert done.response.status_details.reason == "client_cancelled"
        await connection.response.cancel()
        assert (await until(connection, "error")).error.code == "response_cancel_not_active"


async def test_a_tool_call_with_its_result(emulator: RealtimeEmulator) -> None:
    tool = {"type": "function", "name": "book", "parameters": {"type": "object", "properties": {}}}
    async with client(emulator).realtime.connect(model=MODEL) as connection:
        await configured(connection, tools=[tool])
        await say(connection, 400)
        await until(connection, "input_audio_buffer.committed")
        await connection.response.create()
        called = await until(connection, "response.function_call_arguments.done")
        assert (called.name, called.arguments) == ("book", '{"a": 1}')
        await until(connection, "response.done")
        output = {
            "type": "function_call_output",
            "call_id": called.call_id,
            "output": '{"ok": true}',
        }
        await connection.conversation.item.create(item=output)  # type: ignore[arg-type]
        await until(connection, "conversation.item.done")
        await connection.response.create()
        assert (await until(connection, "response.done")).response.status == "completed"


async def test_items_are_retrieved_and_deleted(emulator: RealtimeEmulator) -> None:
    async with client(emulator).realtime.connect(model=MODEL) as connection:
        await configured(connection)
        await say(connection, 400)
        item = (await until(connection, "input_audio_buffer.committed")).item_id
        await connection.conversation.item.retrieve(item_id=item)
        got = await until(connection, "conversation.item.retrieved")
        assert len(base64.b64decode(got.item.content[0].audio)) == 8 * 600
        await connection.conversation.item.delete(item_id=item)
        assert (await until(connection, "conversation.item.deleted")).item_id == item
        await connection.conversation.item.retrieve(item_id=item)
        assert (await until(connection, "error")).error.code == "item_retrieve_invalid_item_id"


async def test_an_out_of_band_reply_leaves_the_conversation_alone(
    emulator: RealtimeEmulator,
) -> None:
    async with client(emulator).realtime.connect(model=MODEL) as connection:
        await configured(connection)
        await connection.response.create(
            response={"conversation": "none", "output_modalities": ["text"], "input": []}
        )
        assert (await until(connection, "response.output_text.done")).text == "aparte"
        assert emulator.sessions[-1].conversation.items == []


async def test_manual_commits(emulator: RealtimeEmulator) -> None:
    async with client(emulator).realtime.connect(model=MODEL) as connection:
        audio = {"input": {"format": {"type": "audio/pcmu"}, "turn_detection": None}}
        await connection.session.update(session={"type": "realtime", "audio": audio})  # type: ignore[arg-type]
        await connection.input_audio_buffer.commit()
        assert (await until(connection, "error")).error.code == "input_audio_buffer_commit_empty"
        await say(connection, 400)
        await connection.input_audio_buffer.commit()
        assert (await until(connection, "input_audio_buffer.committed")).item_id


@pytest.mark.parametrize(
    ("session", "code", "param"),
    [
        ({"output_modalities": ["audio"]}, "missing_required_parameter", "session.type"),
        ({"type": "realtime", "temperature": 1}, "unknown_parameter", "session.temperature"),
        (
            {"type": "realtime", "output_modalities": ["audio", "text"]},
            "invalid_value",
            "session.output_modalities",
        ),
        (
            {"type": "realtime", "audio": {"input": {"format": {"type": "audio/pcm"}}}},
            "missing_required_parameter",
            "session.audio.input.format.rate",
        ),
        (
            {"type": "realtime", "tools": [{"type": "function", "function": {"name": "x"}}]},
            "unknown_parameter",
            "session.tools[0].function",
        ),
    ],
)
async def test_bad_updates_are_refused_whole(
    emulator: RealtimeEmulator, session: Any, code: str, param: str
) -> None:
    async with client(emulator).realtime.connect(model=MODEL) as connection:
        await connection.send_raw(
            '{"type": "session.update", "session": ' + json.dumps(session) + "}"
        )
        error = await until(connection, "error")
        assert (error.error.code, error.error.param) == (code, param)
        assert emulator.sessions[-1].session["output_modalities"] == ["audio"]


async def test_failures_of_a_reply_come_as_its_end(emulator: RealtimeEmulator) -> None:
    emulator.set_faults(Faults(fail_responses=1))
    async with client(emulator).realtime.connect(model=MODEL) as connection:
        await configured(connection)
        await connection.response.create()
        done = await until(connection, "response.done")
        assert (done.response.status, done.response.status_details.error.code) == (
            "failed",
            "rate_limit_exceeded",
        )


async def test_an_expired_session_says_so_and_closes(emulator: RealtimeEmulator) -> None:
    emulator.set_faults(Faults(expire_after_s=0.1))
    async with client(emulator).realtime.connect(model=MODEL) as connection:
        assert (await until(connection, "error")).error.code == "session_expired"


async def test_structured_answers_and_their_rules(emulator: RealtimeEmulator) -> None:
    class Answer(BaseModel):
        model_config = ConfigDict(extra="forbid")
        word: str

    class Loose(BaseModel):
        word: str = "x"

    service = client(emulator)
    messages: Any = [{"role": "user", "content": "hola"}]
    parsed = await service.responses.parse(
        model="gpt-6-luna", input=messages, text_format=Answer, store=False
    )
    assert parsed.output_parsed == Answer(word="hola")
    with pytest.raises(BadRequestError, match="default"):
        await service.responses.parse(
            model="gpt-6-luna", input=messages, text_format=Loose, store=False
        )
