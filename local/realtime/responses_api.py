"""`POST /v1/responses` with a strict JSON schema, as outcome analysis uses it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from local.realtime.conversation import new_id
from local.realtime.meter import tokens
from local.realtime.mind.port import AnalystMind

_FORBIDDEN = frozenset(
    [
        "allOf",
        "not",
        "if",
        "then",
        "else",
        "dependentRequired",
        "dependentSchemas",
        "patternProperties",
        "default",
    ]
)


class SchemaRefused(Exception):
    """The schema is not what Structured Outputs accept; the text says why."""


def check_strict(schema: Any, path: str = "schema") -> None:
    """Raises SchemaRefused by the documented rules of strict schemas."""
    if isinstance(schema, list):
        for index, part in enumerate(schema):
            check_strict(part, f"{path}[{index}]")
        return
    if not isinstance(schema, dict):
        return
    banned = _FORBIDDEN & schema.keys()
    if banned:
        raise SchemaRefused(f"{path}: {sorted(banned)[0]!r} is not permitted")
    if schema.get("type") == "object":
        properties = schema.get("properties", {})
        if schema.get("additionalProperties") is not False:
            raise SchemaRefused(f"{path}: 'additionalProperties' is required to be false")
        if set(schema.get("required", [])) != set(properties):
            raise SchemaRefused(f"{path}: 'required' must name every property")
    for name, part in schema.items():
        if name in ("properties", "$defs"):
            for key, inner in part.items():
                check_strict(inner, f"{path}.{key}")
        elif name in ("items", "anyOf"):
            check_strict(part, f"{path}.{name}")


def respond(body: Mapping[str, Any], analyst: AnalystMind) -> dict[str, Any]:
    """The response object; raises SchemaRefused."""
    form = body.get("text", {}).get("format", {})
    if form.get("type") != "json_schema" or not form.get("strict"):
        raise SchemaRefused("text.format: expected a strict json_schema")
    check_strict(form["schema"])
    messages = {"system": "", "developer": "", "user": ""}
    for message in body.get("input", []):
        messages[message["role"]] += _text(message["content"])
    answer = analyst.answer(messages["system"], messages["user"], form["schema"])
    text = json.dumps(answer, ensure_ascii=False)
    taken = tokens(json.dumps(body, ensure_ascii=False))
    given = tokens(text)
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    return {
        "id": new_id("resp"),
        "object": "response",
        "created_at": int(time.time()),
        "status": "completed",
        "model": body["model"],
        "output": [
            {
                "type": "message",
                "id": new_id("msg"),
                "status": "completed",
                "role": "assistant",
                "content": [part],
            }
        ],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "text": body["text"],
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "temperature": 1.0,
        "top_p": 1.0,
        "usage": {
            "input_tokens": taken,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": given,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": taken + given,
        },
    }


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(str(part.get("text", "")) for part in content)
