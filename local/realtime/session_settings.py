"""A session's settings: the defaults of each model, and updates checked as the service checks them."""

from __future__ import annotations

import copy
from typing import Any

from local.realtime.errors import Refusal, invalid, missing, unknown_parameter

SESSION_S = 3_600
_FIELDS = frozenset(
    [
        "type",
        "model",
        "output_modalities",
        "instructions",
        "audio",
        "include",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "reasoning",
        "max_output_tokens",
        "truncation",
        "tracing",
        "prompt",
    ]
)
_VOICES = frozenset(
    ["alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar"]
)
_FORMATS = frozenset({"audio/pcm", "audio/pcmu", "audio/pcma"})
_VAD_FIELDS = {
    "server_vad": frozenset(
        [
            "type",
            "threshold",
            "prefix_padding_ms",
            "silence_duration_ms",
            "idle_timeout_ms",
            "create_response",
            "interrupt_response",
        ]
    ),
    "semantic_vad": frozenset(["type", "eagerness", "create_response", "interrupt_response"]),
}
MAX_TOKENS = 4_096


def is_newer(model: str) -> bool:
    """Whether it is of the second generation, with phases and reasoning."""
    return model.startswith("gpt-realtime-2")


def defaults(session_id: str, model: str, expires_at: int) -> dict[str, Any]:
    """The session as `session.created` shows it; silence and voice differ by model."""
    newer = is_newer(model)
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
                "turn_detection": {
                    "type": "server_vad",
                    "threshold": 0.5,
                    "prefix_padding_ms": 300,
                    "silence_duration_ms": 500 if newer else 200,
                    "idle_timeout_ms": None,
                    "create_response": True,
                    "interrupt_response": True,
                },
            },
            "output": {
                "format": dict(pcm),
                "voice": "marin" if newer else "alloy",
                "speed": 1.0,
            },
        },
        "include": None,
    }


def updated(session: dict[str, Any], update: Any, has_spoken: bool) -> dict[str, Any]:
    """The session after an update; raises Refusal, and then nothing of it is applied."""
    if not isinstance(update, dict):
        raise missing("session")
    if "type" not in update:
        raise missing("session.type")
    if update["type"] != "realtime":
        raise invalid("session.type", "Passing a transcription session update is not allowed.")
    for name in update:
        if name not in _FIELDS:
            raise unknown_parameter(f"session.{name}")
    if "model" in update and update["model"] != session["model"]:
        raise invalid("session.model", "The model cannot be changed.")
    changed = copy.deepcopy(session)
    _modalities(update)
    _reasoning(session, update)
    _tokens(update)
    for name, value in update.items():
        if name == "audio":
            _audio(changed["audio"], value, has_spoken)
        elif name == "tools":
            changed["tools"] = [_tool(tool, index) for index, tool in enumerate(value or [])]
        else:
            changed[name] = value
    return changed


def _modalities(update: dict[str, Any]) -> None:
    modalities = update.get("output_modalities")
    if modalities is not None and modalities not in (["audio"], ["text"]):
        raise invalid(
            "session.output_modalities",
            "Invalid modalities: use ['audio'] or ['text'].",
        )


def _reasoning(session: dict[str, Any], update: dict[str, Any]) -> None:
    newer = is_newer(str(session["model"]))
    for name in ("reasoning", "parallel_tool_calls"):
        if name in update and not newer:
            raise unknown_parameter(f"session.{name}")


def _tokens(update: dict[str, Any]) -> None:
    tokens = update.get("max_output_tokens")
    if tokens is None or tokens == "inf":
        return
    if not isinstance(tokens, int) or not 1 <= tokens <= MAX_TOKENS:
        raise invalid("session.max_output_tokens", f"Expected 1 to {MAX_TOKENS} or 'inf'.")


def _audio(audio: dict[str, Any], update: Any, has_spoken: bool) -> None:
    for name in update:
        if name not in ("input", "output"):
            raise unknown_parameter(f"session.audio.{name}")
    for name, value in update.get("input", {}).items():
        path = f"session.audio.input.{name}"
        if name == "format":
            audio["input"]["format"] = _format(value, path)
        elif name == "turn_detection":
            audio["input"]["turn_detection"] = _turn_detection(value, path)
        elif name == "transcription":
            kept = {"model": None, "language": None, "prompt": None}
            audio["input"]["transcription"] = None if value is None else {**kept, **value}
        elif name == "noise_reduction":
            audio["input"]["noise_reduction"] = value
        else:
            raise unknown_parameter(path)
    for name, value in update.get("output", {}).items():
        path = f"session.audio.output.{name}"
        if name == "format":
            audio["output"]["format"] = _format(value, path)
        elif name == "voice":
            _voice(audio, value, path, has_spoken)
        elif name == "speed":
            if not isinstance(value, int | float) or not 0.25 <= value <= 1.5:
                raise invalid(path, "Expected a speed from 0.25 to 1.5.")
            audio["output"]["speed"] = value
        else:
            raise unknown_parameter(path)


def _voice(audio: dict[str, Any], value: Any, path: str, has_spoken: bool) -> None:
    if value not in _VOICES:
        raise invalid(path, "Unknown voice.")
    if has_spoken and value != audio["output"]["voice"]:
        raise Refusal(
            "cannot_update_voice",
            "Cannot update a conversation's voice if assistant audio is present.",
            path,
        )
    audio["output"]["voice"] = value


def _format(value: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, dict) or value.get("type") not in _FORMATS:
        raise invalid(f"{path}.type", "Expected audio/pcm, audio/pcmu or audio/pcma.")
    if value["type"] == "audio/pcm":
        if "rate" not in value:
            raise missing(f"{path}.rate")
        if value["rate"] != 24_000:
            raise invalid(f"{path}.rate", "Only 24000 is supported.")
    return dict(value)


def _turn_detection(value: Any, path: str) -> dict[str, Any] | None:
    if value is None:
        return None
    kind = value.get("type")
    if kind not in _VAD_FIELDS:
        raise invalid(f"{path}.type", "Expected server_vad or semantic_vad.")
    for name in value:
        if name not in _VAD_FIELDS[kind]:
            raise unknown_parameter(f"{path}.{name}")
    flags = {"create_response": True, "interrupt_response": True}
    if kind == "semantic_vad":
        return {"type": kind, "eagerness": "auto", **flags, **value}
    threshold = value.get("threshold", 0.5)
    if not 0.0 <= threshold <= 1.0:
        raise invalid(f"{path}.threshold", "Expected a number from 0 to 1.")
    timing = {"threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 500}
    return {"type": kind, **timing, "idle_timeout_ms": None, **flags, **value}


def _tool(tool: Any, index: int) -> dict[str, Any]:
    path = f"session.tools[{index}]"
    if not isinstance(tool, dict) or tool.get("type") != "function":
        raise invalid(f"{path}.type", "Expected 'function'.")
    if "function" in tool:
        raise unknown_parameter(f"{path}.function")
    if not tool.get("name"):
        raise missing(f"{path}.name")
    names = ("type", "name", "description", "parameters")
    return {name: tool[name] for name in names if name in tool}
