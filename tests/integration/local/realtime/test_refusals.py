"""What the real service refuses is refused: by an `error` that names the event, and the session goes on."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from local.realtime.server import RealtimeEmulator
from tests.integration.local.realtime.stage import MODEL, client, configured, refused, until

MISSING = "missing_required_parameter"
UNKNOWN = "unknown_parameter"
INVALID = "invalid_value"
TOO_LONG = "string_above_max_length"


def session(**fields: Any) -> dict[str, Any]:
    return {"type": "session.update", "session": {"type": "realtime", **fields}}


def listening(**fields: Any) -> dict[str, Any]:
    return session(audio={"input": fields})


def speaking(**fields: Any) -> dict[str, Any]:
    return session(audio={"output": fields})


def vad(**fields: Any) -> dict[str, Any]:
    return listening(turn_detection={"type": "server_vad", **fields})


def item(**fields: Any) -> dict[str, Any]:
    return {"type": "conversation.item.create", "item": fields}


def message(role: str, *content: Any, **fields: Any) -> dict[str, Any]:
    return item(type="message", role=role, content=list(content), **fields)


def response(**fields: Any) -> dict[str, Any]:
    return {"type": "response.create", "response": fields}


def truncate(**fields: Any) -> dict[str, Any]:
    return {
        "type": "conversation.item.truncate",
        "item_id": "written",
        "content_index": 0,
        "audio_end_ms": 0,
        **fields,
    }


def append(audio: Any) -> dict[str, Any]:
    return {"type": "input_audio_buffer.append", "audio": audio}


TEXT = {"type": "input_text", "text": "hola"}
AUDIO = "session.audio"
INPUT = "session.audio.input"
CHECKS: list[tuple[Any, str, str | None]] = [
    # Frames and types.
    ("{", "invalid_event", None),
    ("[1]", "invalid_event", None),
    ("[" * 5_000, "invalid_event", None),
    (r'{"type": "\ud800"}', "invalid_event", None),
    ({"event": "x"}, INVALID, "type"),
    ({"type": 5}, INVALID, "type"),
    ({"type": "session.updat"}, INVALID, "type"),
    ({"type": "output_audio_buffer.clear"}, INVALID, "type"),
    ({"type": "input_audio_buffer.clear", "event_id": "x" * 600}, TOO_LONG, "event_id"),
    ({"type": "input_audio_buffer.clear", "event_id": 5}, INVALID, "event_id"),
    ({"type": "input_audio_buffer.clear", "really": True}, UNKNOWN, "really"),
    # Sessions.
    ({"type": "session.update"}, MISSING, "session"),
    ({"type": "session.update", "session": None}, INVALID, "session"),
    ({"type": "session.update", "session": {"instructions": "x"}}, MISSING, "session.type"),
    ({"type": "session.update", "session": {"type": "transcription"}}, INVALID, "session.type"),
    (session(temperature=1), UNKNOWN, "session.temperature"),
    (session(model="gpt-realtime"), INVALID, "session.model"),
    (session(output_modalities=["audio", "text"]), INVALID, "session.output_modalities"),
    (session(output_modalities="audio"), INVALID, "session.output_modalities"),
    (session(instructions=None), INVALID, "session.instructions"),
    (session(max_output_tokens=5_000), INVALID, "session.max_output_tokens"),
    (session(max_output_tokens=True), INVALID, "session.max_output_tokens"),
    (session(reasoning={"effort": "heroic"}), INVALID, "session.reasoning.effort"),
    (session(reasoning="low"), INVALID, "session.reasoning"),
    (session(truncation="sometimes"), INVALID, "session.truncation"),
    (
        session(truncation={"type": "retention_ratio", "retention_ratio": 2}),
        INVALID,
        "session.truncation.retention_ratio",
    ),
    (session(tool_choice="book"), INVALID, "session.tool_choice"),
    (session(tool_choice={"type": "function"}), MISSING, "session.tool_choice.name"),
    (session(tracing="on"), INVALID, "session.tracing"),
    (session(include=["everything"]), INVALID, "session.include[0]"),
    (session(tools=[{}]), MISSING, "session.tools[0].type"),
    (session(tools=[{"type": "function"}]), MISSING, "session.tools[0].name"),
    (
        session(tools=[{"type": "function", "function": {"name": "x"}}]),
        UNKNOWN,
        "session.tools[0].function",
    ),
    (session(audio=None), INVALID, AUDIO),
    (session(audio={"inputs": {}}), UNKNOWN, f"{AUDIO}.inputs"),
    (listening(format={"type": "audio/pcm"}), MISSING, f"{INPUT}.format.rate"),
    (listening(format={"type": "audio/pcm", "rate": 8_000}), INVALID, f"{INPUT}.format.rate"),
    (listening(format={"type": "audio/pcmu", "rate": 8_000}), UNKNOWN, f"{INPUT}.format.rate"),
    (listening(format={"type": "g711_ulaw"}), INVALID, f"{INPUT}.format.type"),
    (listening(format="audio/pcmu"), INVALID, f"{INPUT}.format"),
    (listening(noise_reduction={"type": "studio"}), INVALID, f"{INPUT}.noise_reduction.type"),
    (listening(transcription={"model": "ear-1"}), INVALID, f"{INPUT}.transcription.model"),
    (listening(turn_detection="server_vad"), INVALID, f"{INPUT}.turn_detection"),
    (listening(turn_detection={}), MISSING, f"{INPUT}.turn_detection.type"),
    (listening(turn_detection={"type": "vad"}), INVALID, f"{INPUT}.turn_detection.type"),
    (vad(threshold="x"), INVALID, f"{INPUT}.turn_detection.threshold"),
    (vad(threshold=1.5), INVALID, f"{INPUT}.turn_detection.threshold"),
    (vad(eagerness="low"), UNKNOWN, f"{INPUT}.turn_detection.eagerness"),
    (vad(idle_timeout_ms=100), INVALID, f"{INPUT}.turn_detection.idle_timeout_ms"),
    (speaking(voice="carlos"), INVALID, f"{AUDIO}.output.voice"),
    (speaking(voice=None), INVALID, f"{AUDIO}.output.voice"),
    (speaking(voice="alloy"), "cannot_update_voice", f"{AUDIO}.output.voice"),
    (speaking(voice={"id": "voice_x"}), "cannot_update_voice", f"{AUDIO}.output.voice"),
    (speaking(speed=3), INVALID, f"{AUDIO}.output.speed"),
    # The input buffer.
    (append(None), INVALID, "audio"),
    (append("~~~"), INVALID, "audio"),
    ({"type": "input_audio_buffer.append"}, MISSING, "audio"),
    ({"type": "input_audio_buffer.commit"}, "input_audio_buffer_commit_empty", None),
    # Items.
    ({"type": "conversation.item.create"}, MISSING, "item"),
    (item(), MISSING, "item.type"),
    (item(type="item_reference", id="x"), INVALID, "item.type"),
    (item(type="message", content=[TEXT]), MISSING, "item.role"),
    (item(type="message", role="developer", content=[TEXT]), INVALID, "item.role"),
    (message("user", TEXT, id=5), INVALID, "item.id"),
    (message("user", TEXT, id="x" * 33), TOO_LONG, "item.id"),
    (message("user", TEXT, id="asked"), INVALID, "item.id"),
    (message("user", {"type": "input_text"}), MISSING, "item.content[0].text"),
    (
        message("user", {"type": "output_text", "text": "x"}),
        INVALID,
        "item.content[0].type",
    ),
    (
        message("user", {"type": "input_audio", "audio": "?"}),
        INVALID,
        "item.content[0].audio",
    ),
    (message("assistant"), MISSING, "item.content[0].text"),
    (
        message("assistant", {"type": "output_audio", "audio": "AAAA"}),
        MISSING,
        "item.content[0].text",
    ),
    (
        {**message("user", TEXT), "previous_item_id": "nobody"},
        INVALID,
        "previous_item_id",
    ),
    (item(type="function_call_output", output="{}"), MISSING, "item.call_id"),
    (
        item(type="function_call_output", call_id="c" * 40, output="{}"),
        TOO_LONG,
        "item.call_id",
    ),
    (item(type="function_call_output", call_id="c"), MISSING, "item.output"),
    (
        item(type="function_call_output", call_id="c", output={"ok": True}),
        INVALID,
        "item.output",
    ),
    (item(type="function_call", arguments="{}"), MISSING, "item.name"),
    (
        {"type": "conversation.item.retrieve", "item_id": "nobody"},
        "item_retrieve_invalid_item_id",
        "item_id",
    ),
    (
        {"type": "conversation.item.delete", "item_id": "nobody"},
        "item_delete_invalid_item_id",
        "item_id",
    ),
    (truncate(item_id="nobody"), "item_truncate_invalid_item_id", "item_id"),
    (truncate(), "item_truncate_invalid_item_id", "item_id"),
    (truncate(item_id="asked"), "item_truncate_invalid_item_id", "item_id"),
    (truncate(audio_end_ms=-1), INVALID, "audio_end_ms"),
    (truncate(content_index=1), INVALID, "content_index"),
    # Responses.
    (response(temperature=1), UNKNOWN, "response.temperature"),
    (response(output_modalities=["audio", "text"]), INVALID, "response.output_modalities"),
    (response(max_output_tokens=99_999_999), INVALID, "response.max_output_tokens"),
    (response(metadata={"n": 5}), INVALID, "response.metadata.n"),
    (response(metadata={"n": "x" * 513}), TOO_LONG, "response.metadata.n"),
    (response(metadata={str(n): "" for n in range(17)}), INVALID, "response.metadata"),
    (response(conversation="other"), INVALID, "response.conversation"),
    (response(tools=[{}]), MISSING, "response.tools[0].type"),
    (response(input=[{"type": "message"}]), MISSING, "response.input[0].role"),
    (
        response(input=[{"type": "item_reference", "id": "nobody"}]),
        INVALID,
        "response.input[0].id",
    ),
    (
        response(audio={"output": {"voice": "alloy"}}),
        "cannot_update_voice",
        "response.audio.output.voice",
    ),
    ({"type": "response.cancel"}, "response_cancel_not_active", None),
    ({"type": "response.cancel", "response_id": "resp_x"}, "response_cancel_not_active", None),
]


@pytest.mark.parametrize(("event", "code", "param"), CHECKS)
async def test_each_is_refused_by_its_name_and_changes_nothing(
    emulator: RealtimeEmulator, event: Any, code: str, param: str | None
) -> None:
    async with client(emulator).realtime.connect(model=MODEL) as connection:
        await configured(connection)
        await _one_spoken_one_written(connection)
        kept = emulator.sessions[-1]
        before = (kept.session, [one.id for one in kept.conversation.items])
        named = {"event_id": "mine", **event} if isinstance(event, dict) else event
        error = await refused(connection, named)
        assert (error.code, error.param) == (code, param)
        if isinstance(event, dict) and "event_id" not in event:
            assert error.event_id == "mine"
        assert (kept.session, [one.id for one in kept.conversation.items]) == before
        await connection.input_audio_buffer.clear()
        await until(connection, "input_audio_buffer.cleared")


async def _one_spoken_one_written(connection: Any) -> None:
    """After this there is sound of the assistant, so the voice is settled."""
    written = {"id": "written", "type": "message", "role": "assistant"}
    text = {"type": "output_text", "text": "hola"}
    await connection.conversation.item.create(item={**written, "content": [text]})
    await connection.response.create(response={"max_output_tokens": 4})
    await until(connection, "response.done")
    user = {"id": "asked", "type": "message", "role": "user", "content": [TEXT]}
    await connection.conversation.item.create(item=user)
    while (await until(connection, "conversation.item.done")).item.id != "asked":
        pass


async def test_a_second_request_is_refused_while_a_reply_is_made(
    emulator: RealtimeEmulator,
) -> None:
    async with client(emulator).realtime.connect(model=MODEL) as connection:
        await connection.response.create()
        error = await refused(connection, {"type": "response.create", "event_id": "second"})
        assert (error.code, error.event_id) == (
            "conversation_already_has_active_response",
            "second",
        )
        done = await until(connection, "response.done")
        assert done.response.status == "completed"


@pytest.mark.parametrize(
    "event",
    [
        message("user", {"type": "input_audio", "audio": base64.b64encode(b"\xff" * 8).decode()}),
        item(type="function_call", name="book", arguments="{broken", call_id="call_1"),
        {**message("system", TEXT), "previous_item_id": "root"},
        message("user", TEXT, id="x" * 32),
        message("user", TEXT, object="realtime.item", status="incomplete"),
    ],
)
async def test_items_that_the_service_takes_are_taken_and_replied_to(
    emulator: RealtimeEmulator, event: Any
) -> None:
    async with client(emulator).realtime.connect(model=MODEL) as connection:
        await connection.send_raw(json.dumps(event))
        await until(connection, "conversation.item.done")
        await connection.response.create()
        done = await until(connection, "response.done")
        assert done.response.status == "completed"
        assert emulator.sessions[-1].errors == []


async def test_a_voice_of_ones_own_is_taken(emulator: RealtimeEmulator) -> None:
    async with client(emulator).realtime.connect(model=MODEL) as connection:
        await connection.send_raw(json.dumps(speaking(voice={"id": "voice_x"})))
        told = await until(connection, "session.updated")
        assert told.session.audio.output.voice.id == "voice_x"
