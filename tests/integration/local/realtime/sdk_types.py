"""Events held against the SDK's own types, field by field."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openai.types.realtime import RealtimeClientEvent, RealtimeServerEvent
from pydantic import BaseModel, TypeAdapter

_SERVER_EVENT: TypeAdapter[RealtimeServerEvent] = TypeAdapter(RealtimeServerEvent)
_CLIENT_EVENT: TypeAdapter[RealtimeClientEvent] = TypeAdapter(RealtimeClientEvent)
# Sent by the service and unknown to the SDK's types (recorded traffic; openai-realtime.md section 9).
_WIRE_ONLY = {"obfuscation", "phase", "reasoning_tokens"}
_WIRE_ONLY_OF_SESSIONS = {"id", "object", "expires_at"}


def check_server_event(event: dict[str, Any]) -> None:
    """Fails if the SDK does not know the event or a field of it."""
    parsed = _SERVER_EVENT.validate_python(event)
    strangers = set(_unknown_fields(parsed)) - _WIRE_ONLY
    if event["type"].startswith("session."):
        strangers -= _WIRE_ONLY_OF_SESSIONS
    assert not strangers, (event["type"], strangers)


def check_client_event(event: dict[str, Any]) -> None:
    """Fails if the SDK could not have sent the event."""
    parsed = _CLIENT_EVENT.validate_python(event)
    strangers = set(_unknown_fields(parsed))
    assert not strangers, (event["type"], strangers)


def _unknown_fields(model: BaseModel) -> Iterator[str]:
    """Fields of a parsed event, at any depth, that its type does not have."""
    yield from model.model_extra or {}
    for name in type(model).model_fields:
        value = getattr(model, name)
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, BaseModel):
                yield from _unknown_fields(part)
