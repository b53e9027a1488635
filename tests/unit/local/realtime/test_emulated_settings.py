"""What a partial update makes of a session."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter

from local.realtime import session_settings
from local.realtime.errors import Refusal, checked
from local.realtime.session_models import SessionUpdate

_UPDATE = TypeAdapter(SessionUpdate)


def updated(session: dict[str, Any], *, has_spoken: bool = False, **sent: Any) -> dict[str, Any]:
    update = checked(_UPDATE, {"type": "realtime", **sent})
    return session_settings.updated(session, update, has_spoken)


def fresh(model: str = "gpt-realtime-2.1") -> dict[str, Any]:
    return session_settings.defaults("sess_1", model, 1)


def detection(**fields: Any) -> dict[str, Any]:
    return {"input": {"turn_detection": {"type": "server_vad", **fields}}}


def test_what_an_update_leaves_out_of_turn_detection_stays() -> None:
    first = updated(fresh(), audio=detection(create_response=False, silence_duration_ms=900))
    second = updated(first, audio=detection(threshold=0.7))
    now = second["audio"]["input"]["turn_detection"]
    assert (now["create_response"], now["silence_duration_ms"], now["threshold"]) == (
        False,
        900,
        0.7,
    )


def test_another_kind_of_detection_begins_with_its_own_defaults() -> None:
    first = updated(fresh(), audio=detection(create_response=False))
    second = updated(first, audio={"input": {"turn_detection": {"type": "semantic_vad"}}})
    assert second["audio"]["input"]["turn_detection"] == {
        "type": "semantic_vad",
        "eagerness": "auto",
        "create_response": True,
        "interrupt_response": True,
    }


@pytest.mark.parametrize(
    ("model", "silence_ms"), [("gpt-realtime", 200), ("gpt-realtime-2.1", 500)]
)
def test_the_usual_silence_depends_on_the_model(model: str, silence_ms: int) -> None:
    off = updated(fresh(model), audio={"input": {"turn_detection": None}})
    on = updated(off, audio=detection())
    assert on["audio"]["input"]["turn_detection"]["silence_duration_ms"] == silence_ms


def test_an_update_keeps_the_strength_of_noise_reduction() -> None:
    strong = {"input": {"noise_reduction": {"type": "near_field", "strength": 0.4}}}
    first = updated(fresh(), audio=strong)
    second = updated(first, audio={"input": {"noise_reduction": {"type": "far_field"}}})
    assert second["audio"]["input"]["noise_reduction"] == {"type": "far_field", "strength": 0.4}


def test_transcription_comes_back_with_what_was_not_given() -> None:
    session = updated(
        fresh(), audio={"input": {"transcription": {"model": "gpt-realtime-whisper"}}}
    )
    assert session["audio"]["input"]["transcription"] == {
        "model": "gpt-realtime-whisper",
        "language": None,
        "prompt": None,
    }


@pytest.mark.parametrize(
    "transcription",
    [
        {"model": "gpt-realtime-whisper", "prompt": "x"},
        {"model": "gpt-4o-transcribe", "delay": "low"},
        {"model": "whisper-1", "keywords": ["x"]},
    ],
)
def test_fields_that_the_transcriber_does_not_know_are_refused(transcription: Any) -> None:
    with pytest.raises(Refusal, match=r"upported") as refusal:
        updated(fresh(), audio={"input": {"transcription": transcription}})
    assert refusal.value.code == "invalid_value"


def test_a_voice_of_ones_own_is_taken() -> None:
    session = updated(fresh(), audio={"output": {"voice": {"id": "voice_x"}}})
    assert session["audio"]["output"]["voice"] == {"id": "voice_x"}
    again = updated(session, has_spoken=True, audio={"output": {"voice": {"id": "voice_x"}}})
    assert again == session


def test_tracing_cannot_change_once_it_is_on() -> None:
    on = updated(fresh(), tracing="auto")
    with pytest.raises(Refusal) as refusal:
        updated(on, tracing=None)
    assert refusal.value.param == "session.tracing"


def test_instructions_and_tools_have_a_limit_together() -> None:
    tool = {"type": "function", "name": "x", "description": "d" * 4 * 10_000}
    with pytest.raises(Refusal) as refusal:
        updated(fresh(), instructions="i" * 4 * 7_000, tools=[tool])
    assert refusal.value.code == "invalid_value"


@pytest.mark.parametrize("field", [{"reasoning": {"effort": "low"}}, {"parallel_tool_calls": True}])
def test_older_models_do_not_know_newer_fields(field: Any) -> None:
    assert updated(fresh(), **field)
    with pytest.raises(Refusal) as refusal:
        updated(fresh("gpt-realtime-1.5"), **field)
    assert refusal.value.code == "unknown_parameter"


def test_a_refused_update_changes_nothing() -> None:
    session = fresh()
    with pytest.raises(Refusal):
        updated(session, instructions="x", model="gpt-realtime")
    assert session == fresh()
