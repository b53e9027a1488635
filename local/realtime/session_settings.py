"""A session's settings: the defaults of each model, and what an update makes of them."""

from __future__ import annotations

import copy
import json
from typing import Any

from local.realtime.errors import Refusal, invalid, unknown_parameter
from local.realtime.meter import tokens
from local.realtime.session_models import SessionUpdate

SESSION_S = 3_600
MAX_INSTRUCTION_TOKENS = 16_384
"""Of instructions and tools together."""
_TRANSCRIBERS = {
    "languages": ("gpt-transcribe", "gpt-live-transcribe"),
    "keywords": ("gpt-transcribe", "gpt-live-transcribe"),
    "delay": ("gpt-realtime-whisper",),
}


def is_newer(model: str) -> bool:
    """Whether it is of the second generation, with phases and reasoning."""
    return model.startswith("gpt-realtime-2")


def defaults(session_id: str, model: str, expires_at: int) -> dict[str, Any]:
    """The session as `session.created` shows it; silence and voice differ by model."""
    pcm = {"type": "audio/pcm", "rate": 24_000}
    return {
        "type": "realtime",
        "object": "realtime.session",
        "id": session_id,
        "model": model,
        "output_modalities": ["audio"],
        "instructions": "Your knowledge cutoff is 2024-09. You are a helpful assistant.",
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "tracing": None,
        "truncation": "auto",
        "prompt": None,
        "expires_at": expires_at,
        "audio": {
            "input": {
                "format": dict(pcm),
                "transcription": None,
                "noise_reduction": None,
                "turn_detection": _detection_defaults("server_vad", model),
            },
            "output": {
                "format": dict(pcm),
                "voice": "marin" if is_newer(model) else "alloy",
                "speed": 1.0,
            },
        },
        "include": None,
    }


def updated(session: dict[str, Any], update: SessionUpdate, has_spoken: bool) -> dict[str, Any]:
    """The session after an update; raises Refusal, and then nothing of it is applied."""
    sent = update.model_dump(mode="json", exclude_unset=True)
    if sent.get("model", session["model"]) != session["model"]:
        raise invalid("session.model", "The model cannot be changed.")
    refuse_older(session["model"], update.model_fields_set, "session")
    if "tracing" in sent and session["tracing"] not in (None, sent["tracing"]):
        raise invalid("session.tracing", "Tracing cannot be changed once it is enabled.")
    audio = sent.pop("audio", {})
    changed = {**copy.deepcopy(session), **sent}
    _input(changed, audio.get("input", {}))
    _output(changed["audio"]["output"], audio.get("output", {}), has_spoken)
    if fixed_tokens(changed["instructions"], changed["tools"]) > MAX_INSTRUCTION_TOKENS:
        raise invalid(
            "session.instructions",
            f"Instructions and tools take more than {MAX_INSTRUCTION_TOKENS} tokens.",
        )
    return changed


def refuse_older(model: str, sent: set[str], path: str) -> None:
    """Raises Refusal for fields that only the second generation knows."""
    for name in ("reasoning", "parallel_tool_calls"):
        if name in sent and not is_newer(model):
            raise unknown_parameter(f"{path}.{name}")


def refuse_voice(current: Any, wanted: Any, path: str) -> None:
    """Raises Refusal for another voice than the one that has been heard."""
    if wanted != current:
        raise Refusal(
            "cannot_update_voice",
            "Cannot update a conversation's voice if assistant audio is present.",
            path,
        )


def fixed_tokens(instructions: str, tools: list[dict[str, Any]]) -> int:
    return tokens(instructions) + tokens(json.dumps(tools, ensure_ascii=False))


def _input(session: dict[str, Any], sent: dict[str, Any]) -> None:
    current = session["audio"]["input"]
    merged = dict(sent)
    if sent.get("turn_detection") is not None:
        merged["turn_detection"] = _detection(
            current["turn_detection"], sent["turn_detection"], session["model"]
        )
    if sent.get("transcription") is not None:
        merged["transcription"] = _transcription(current["transcription"], sent["transcription"])
    if sent.get("noise_reduction") is not None:
        kept = (current["noise_reduction"] or {}).get("strength", 1)
        merged["noise_reduction"] = {"strength": kept, **sent["noise_reduction"]}
    current.update(merged)


def _output(current: dict[str, Any], sent: dict[str, Any], has_spoken: bool) -> None:
    if has_spoken and "voice" in sent:
        refuse_voice(current["voice"], sent["voice"], "session.audio.output.voice")
    current.update(sent)


def _detection(current: dict[str, Any] | None, sent: dict[str, Any], model: str) -> dict[str, Any]:
    """What is left out stays, unless another kind of detection begins."""
    if current is None or current["type"] != sent["type"]:
        current = _detection_defaults(sent["type"], model)
    return {**current, **sent}


def _detection_defaults(kind: str, model: str) -> dict[str, Any]:
    flags = {"create_response": True, "interrupt_response": True}
    if kind == "semantic_vad":
        return {"type": kind, "eagerness": "auto", **flags}
    return {
        "type": kind,
        "threshold": 0.5,
        "prefix_padding_ms": 300,
        "silence_duration_ms": 500 if is_newer(model) else 200,
        "idle_timeout_ms": None,
        **flags,
    }


def _transcription(current: dict[str, Any] | None, sent: dict[str, Any]) -> dict[str, Any]:
    """What is left out stays, unless another model transcribes from here on."""
    path = "session.audio.input.transcription"
    kept = current or {"model": None}
    if sent.get("model", kept["model"]) != kept["model"]:
        kept = {}
    merged = {"model": None, "language": None, "prompt": None, **kept, **sent}
    for name, models in _TRANSCRIBERS.items():
        if merged.get(name) is not None and merged["model"] not in models:
            raise invalid(f"{path}.{name}", f"Only supported by {' and '.join(models)}.")
    if merged["prompt"] is not None and merged["model"] == "gpt-realtime-whisper":
        raise invalid(f"{path}.prompt", "Not supported by gpt-realtime-whisper.")
    return merged
