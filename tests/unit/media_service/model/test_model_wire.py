"""OpenAI Realtime on the wire: frames to events, actions to frames."""

from __future__ import annotations

import json

import pytest

from media_service.engine import actions as ac
from media_service.engine import events as ev
from media_service.model import wire
from media_service.model.wire import ModelProtocolError
from shared.domain.conversation import Usage, UsageKind


def event(kind: str, **fields: object) -> ev.Event | None:
    frame = json.dumps({"type": kind, "event_id": "event_1", **fields}).encode()
    return wire.as_event(wire.decode(frame), "gpt-realtime-2.1", "whisper")


@pytest.mark.parametrize(
    ("kind", "fields", "expected"),
    [
        (
            "response.output_audio.delta",
            {"response_id": "r1", "item_id": "a1", "delta": "//8="},
            ev.SoundMade("r1", "a1", b"\xff\xff"),
        ),
        (
            "response.output_audio_transcript.delta",
            {"response_id": "r1", "item_id": "a1", "delta": "Hola", "obfuscation": "xx"},
            ev.WordsMade("r1", "a1", "Hola"),
        ),
        (
            "input_audio_buffer.speech_started",
            {"item_id": "u1", "audio_start_ms": 320},
            ev.SpeechStarted("u1", 320),
        ),
        (
            "input_audio_buffer.speech_stopped",
            {"item_id": "u1", "audio_end_ms": 900},
            ev.SpeechStopped("u1", 900),
        ),
        ("input_audio_buffer.committed", {"item_id": "u1"}, ev.Committed("u1")),
        (
            "conversation.item.input_audio_transcription.failed",
            {"item_id": "u1", "error": {"code": "audio_unintelligible"}},
            ev.WordsHeard("u1", ""),
        ),
        (
            "response.created",
            {"response": {"id": "r1", "metadata": {"tag": "t1"}}},
            ev.ReplyStarted("r1", "t1"),
        ),
        ("response.created", {"response": {"id": "r1"}}, ev.ReplyStarted("r1", None)),
        (
            "response.function_call_arguments.done",
            {"response_id": "r1", "call_id": "c1", "name": "end_call", "arguments": " {} "},
            ev.ToolCalled("r1", "c1", "end_call", " {} "),
        ),
        (
            "error",
            {"error": {"code": "response_cancel_not_active", "event_id": "x"}},
            ev.ModelRefused("response_cancel_not_active", "x"),
        ),
        (
            "error",
            {"error": {"type": "server_error", "code": None}},
            ev.ModelRefused("server_error", None),
        ),
        ("rate_limits.updated", {"rate_limits": []}, None),
        ("conversation.item.added", {"item": {"id": "u1", "content": None}}, None),
    ],
)
def test_frames_become_events(kind: str, fields: dict[str, object], expected: object) -> None:
    assert event(kind, **fields) == expected


def test_a_transcript_brings_its_usage_by_time_or_by_tokens() -> None:
    kind = "conversation.item.input_audio_transcription.completed"
    timed = event(kind, item_id="u1", transcript=" Sí. ", usage={"type": "duration", "seconds": 2})
    assert timed == ev.WordsHeard(
        "u1", "Sí.", Usage(UsageKind.TRANSCRIPTION, "whisper", seconds=2.0)
    )
    usage = {
        "type": "tokens",
        "output_tokens": 4,
        "input_token_details": {"text_tokens": 1, "audio_tokens": 30},
    }
    counted = event(kind, item_id="u1", transcript="Sí.", usage=usage)
    assert isinstance(counted, ev.WordsHeard)
    assert counted.usage == Usage(
        UsageKind.TRANSCRIPTION, "whisper", text_in=1, audio_in=30, text_out=4
    )


def test_the_end_of_a_reply_brings_its_usage_with_cached_tokens_inside() -> None:
    usage = {
        "input_token_details": {
            "text_tokens": 14,
            "audio_tokens": 27,
            "cached_tokens_details": {"text_tokens": 10},
        },
        "output_token_details": {"text_tokens": 28, "audio_tokens": 136, "reasoning_tokens": 17},
    }
    done = event("response.done", response={"id": "r1", "status": "completed", "usage": usage})
    assert isinstance(done, ev.ReplyEnded)
    assert done.usage == Usage(
        UsageKind.RESPONSE, "gpt-realtime-2.1", text_in=14, text_in_cached=10, audio_in=27,
        text_out=28, audio_out=136,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("response", "status", "code"),
    [
        ({"status": "cancelled", "status_details": {"reason": "client_cancelled"}},
         ev.ReplyStatus.CANCELLED, "client_cancelled"),
        ({"status": "failed", "status_details": {"error": {"code": "rate_limit_exceeded"}}},
         ev.ReplyStatus.FAILED, "rate_limit_exceeded"),
        ({"status": "incomplete", "status_details": {"reason": "max_output_tokens"}},
         ev.ReplyStatus.INCOMPLETE, "max_output_tokens"),
        ({"status": "of tomorrow", "usage": None}, ev.ReplyStatus.FAILED, None),
        ({}, ev.ReplyStatus.FAILED, None),
    ],
)  # fmt: skip
def test_how_a_reply_ended(
    response: dict[str, object], status: ev.ReplyStatus, code: str | None
) -> None:
    assert event("response.done", response={"id": "r1", **response}) == ev.ReplyEnded(
        "r1", status, code
    )


@pytest.mark.parametrize("frame", [b"", b"no json", b"[]", b'{"no":"type"}', b'{"type":"\xff"}'])
def test_what_is_no_event_is_told(frame: bytes) -> None:
    with pytest.raises(ModelProtocolError):
        wire.decode(frame)


@pytest.mark.parametrize("delta", ["A", "AAAAA", "é"])
def test_sound_that_is_no_base64_is_told(delta: str) -> None:
    with pytest.raises(ModelProtocolError):
        event("response.output_audio.delta", response_id="r1", item_id="a1", delta=delta)


def test_the_callees_sound_goes_in_untouched() -> None:
    assert json.loads(wire.append(b'"////"')) == {
        "type": "input_audio_buffer.append",
        "audio": "////",
    }


@pytest.mark.parametrize(
    ("action", "frame"),
    [
        (
            ac.AddItem("i1", ac.Speaker.ASSISTANT, "Hola, soy Sofía", "lead"),
            {
                "type": "conversation.item.create",
                "previous_item_id": "lead",
                "item": {
                    "id": "i1",
                    "type": "message",
                    "role": "assistant",
                    "content": [{"type": "output_text", "text": "Hola, soy Sofía"}],
                },
            },
        ),
        (ac.DeleteItem("i1"), {"type": "conversation.item.delete", "item_id": "i1"}),
        (
            ac.TruncateItem("i1", 1_200),
            {
                "type": "conversation.item.truncate",
                "item_id": "i1",
                "content_index": 0,
                "audio_end_ms": 1_200,
            },
        ),
        (
            ac.CreateReply("t1"),
            {
                "type": "response.create",
                "event_id": "t1",
                "response": {"metadata": {"tag": "t1"}},
            },
        ),
        (ac.CancelReply("r1"), {"type": "response.cancel", "response_id": "r1"}),
    ],
)
def test_actions_become_frames(action: ac.Action, frame: dict[str, object]) -> None:
    encoded = wire.encode(action)
    assert encoded is not None
    assert json.loads(encoded) == frame


def test_texts_of_system_and_callee_are_input() -> None:
    for speaker in (ac.Speaker.SYSTEM, ac.Speaker.USER):
        encoded = wire.encode(ac.AddItem("i1", speaker, "x"))
        assert encoded is not None
        frame = json.loads(encoded)
        assert frame["item"]["content"][0]["type"] == "input_text"
        assert "previous_item_id" not in frame


def test_a_tools_answer_is_json_in_text() -> None:
    encoded = wire.encode(ac.AnswerTool("c1", {"ok": True, "spoken": "mañana"}))
    assert encoded is not None
    item = json.loads(encoded)["item"]
    assert (item["type"], item["call_id"]) == ("function_call_output", "c1")
    assert json.loads(item["output"]) == {"ok": True, "spoken": "mañana"}


def test_an_action_of_the_phones_side_is_none_of_the_models() -> None:
    assert wire.encode(ac.SendClear()) is None
