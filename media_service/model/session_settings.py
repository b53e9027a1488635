"""What the model's session is told at its start and later: an agent's settings in the wire's words.

Turn taking is ours, always: the detector runs, but the session neither creates nor interrupts replies by itself.
Formats are repeated in every update, because a partial one has been seen to reset them.
"""

from __future__ import annotations

from shared.agents.tools import ToolSpec
from shared.domain.agent import Agent, TurnTaking, VadKind

_PCMU = {"type": "audio/pcmu"}


def first_update(
    agent: Agent, instructions: str, tools: tuple[ToolSpec, ...], silence_ms: int
) -> dict[str, object]:
    """The `session` of the first `session.update`."""
    session: dict[str, object] = {
        "type": "realtime",
        "output_modalities": ["audio"],
        "instructions": instructions,
        "audio": {
            "input": {
                "format": _PCMU,
                "noise_reduction": None,
                "transcription": {
                    "model": agent.transcription_model,
                    "language": agent.language,
                },
                "turn_detection": turn_detection(agent.turn_taking, silence_ms),
            },
            "output": {"format": _PCMU, "voice": agent.voice, "speed": 1.0},
        },
        "tools": [tool.as_session_tool() for tool in tools],
        "tool_choice": "auto",
        "max_output_tokens": agent.limits.max_output_tokens,
        "truncation": {"type": "retention_ratio", "retention_ratio": 0.8},
        "tracing": None,
    }
    if agent.model.startswith("gpt-realtime-2"):
        # Older models refuse the field; more effort only delays the first sound.
        session["reasoning"] = {"effort": "low"}
    return session


def listening_update(agent: Agent, silence_ms: int) -> dict[str, object]:
    """The `session` of an update that changes only the pause that ends a turn."""
    return {
        "type": "realtime",
        "audio": {
            "input": {
                "format": _PCMU,
                "turn_detection": turn_detection(agent.turn_taking, silence_ms),
            },
            "output": {"format": _PCMU},
        },
    }


def turn_detection(settings: TurnTaking, silence_ms: int) -> dict[str, object]:
    if settings.vad is VadKind.SEMANTIC:
        return {
            "type": "semantic_vad",
            "eagerness": settings.eagerness,
            "create_response": False,
            "interrupt_response": False,
        }
    return {
        "type": "server_vad",
        "threshold": settings.threshold,
        "prefix_padding_ms": settings.prefix_padding_ms,
        "silence_duration_ms": silence_ms,
        "idle_timeout_ms": None,
        "create_response": False,
        "interrupt_response": False,
    }
