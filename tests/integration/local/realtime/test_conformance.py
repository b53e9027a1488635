"""Every event that the emulated service sends is one that the SDK knows, field by field."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openai.resources.realtime.realtime import AsyncRealtimeConnection

from local.realtime.server import RealtimeEmulator
from local.realtime.settings import Faults
from tests.integration.local.realtime.sdk_types import check_server_event
from tests.integration.local.realtime.stage import MODEL, client, configured, say

TOOL = {"type": "function", "name": "book", "parameters": {"type": "object", "properties": {}}}
# What our conversations must have shown at the end; the others belong to features that the product does not use.
EXPECTED = {
    "session.created",
    "session.updated",
    "error",
    "input_audio_buffer.speech_started",
    "input_audio_buffer.speech_stopped",
    "input_audio_buffer.committed",
    "input_audio_buffer.cleared",
    "conversation.item.added",
    "conversation.item.done",
    "conversation.item.deleted",
    "conversation.item.retrieved",
    "conversation.item.truncated",
    "conversation.item.input_audio_transcription.delta",
    "conversation.item.input_audio_transcription.completed",
    "conversation.item.input_audio_transcription.failed",
    "response.created",
    "response.output_item.added",
    "response.output_item.done",
    "response.content_part.added",
    "response.content_part.done",
    "response.output_audio.delta",
    "response.output_audio.done",
    "response.output_audio_transcript.delta",
    "response.output_audio_transcript.done",
    "response.output_text.delta",
    "response.output_text.done",
    "response.function_call_arguments.delta",
    "response.function_call_arguments.done",
    "response.done",
    "rate_limits.updated",
}


class Recording:
    """Everything that came, as it came."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    async def until(self, connection: AsyncRealtimeConnection, kind: str) -> dict[str, Any]:
        while True:
            event: dict[str, Any] = json.loads(await connection.recv_bytes())
            self.events.append(event)
            if event["type"] == kind:
                return event


async def hold_conversations(emulator: RealtimeEmulator, heard: Recording) -> None:
    """Voice, tools, side replies, edits, refusals, each kind of trouble."""
    async with client(emulator).realtime.connect(model=MODEL) as connection:
        await heard.until(connection, "session.created")
        await connection.session.update(session={"type": "realtime", "tools": [TOOL]})  # type: ignore[list-item]
        await heard.until(connection, "session.updated")
        audio = {"input": {"format": {"type": "audio/pcmu"}, "transcription": TRANSCRIPTION}}
        output = {"format": {"type": "audio/pcmu"}}
        await connection.session.update(
            session={"type": "realtime", "audio": {**audio, "output": output}}  # type: ignore[typeddict-item]
        )
        await heard.until(connection, "session.updated")
        # The service's own turn taking: the reply comes by itself, with a tool call in it.
        await say(connection, 600, quiet_ms=700)
        called = await heard.until(connection, "response.function_call_arguments.done")
        await heard.until(connection, "response.done")
        await connection.conversation.item.create(
            item={"type": "function_call_output", "call_id": called["call_id"], "output": "{}"}
        )
        await connection.response.create()
        spoken = await heard.until(connection, "response.done")
        item = spoken["response"]["output"][0]["id"]
        await connection.conversation.item.truncate(item_id=item, content_index=0, audio_end_ms=300)
        await heard.until(connection, "conversation.item.truncated")
        await connection.conversation.item.retrieve(item_id=item)
        await heard.until(connection, "conversation.item.retrieved")
        await connection.conversation.item.delete(item_id=item)
        await heard.until(connection, "conversation.item.deleted")
        await connection.response.create(
            response={"conversation": "none", "output_modalities": ["text"], "metadata": {"a": "b"}}
        )
        await heard.until(connection, "response.output_text.done")
        await heard.until(connection, "response.done")
        await connection.input_audio_buffer.clear()
        await heard.until(connection, "input_audio_buffer.cleared")
        # Interrupted by the service's own detection, then by us.
        await connection.session.update(session={"type": "realtime", "tools": []})
        await heard.until(connection, "session.updated")
        for reason in ("turn_detected", "client_cancelled"):
            await connection.response.create()
            await heard.until(connection, "response.output_audio.delta")
            if reason == "turn_detected":
                await say(connection, 100, quiet_ms=0)
            else:
                await connection.response.cancel()
            ended = await heard.until(connection, "response.done")
            assert ended["response"]["status_details"]["reason"] == reason
        await connection.send_raw('{"type": "response.cancel"}')
        await heard.until(connection, "error")
    for faults in (
        Faults(fail_responses=1),
        Faults(incomplete_responses=1),
        Faults(incomplete_responses=1, incomplete_reason="content_filter"),
        Faults(missing_usage=True, missing_rate_limits=True),
        Faults(late_done=1),
        Faults(server_error_after_s=0.0),
    ):
        emulator.set_faults(faults)
        async with client(emulator).realtime.connect(model=MODEL) as connection:
            await connection.response.create()
            await heard.until(connection, "response.done")
    emulator.set_faults(Faults(transcription_fails=True))
    async with client(emulator).realtime.connect(model="gpt-realtime") as connection:
        await configured(connection)
        await say(connection, 400)
        await heard.until(connection, "conversation.item.input_audio_transcription.failed")


TRANSCRIPTION = {"model": "gpt-4o-transcribe", "language": "es"}


@pytest.mark.timeout(60)
async def test_every_event_is_one_of_the_sdks(emulator: RealtimeEmulator) -> None:
    heard = Recording()
    await hold_conversations(emulator, heard)
    assert {event["type"] for event in heard.events} >= EXPECTED
    for event in heard.events:
        check_server_event(event)
    ids = [event["event_id"] for event in heard.events]
    assert len(ids) == len(set(ids))
