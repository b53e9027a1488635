"""What an application may send over a stream both ways: exactly the documented fields, nothing else. Pure."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass


class BadMessage(Exception):
    """A message breaks the protocol (error 31951); the text says how."""


@dataclass(frozen=True, slots=True)
class Media:
    """Sound to be played: 8 kHz mono mu-law."""

    sound: bytes


@dataclass(frozen=True, slots=True)
class Mark:
    """To be sent back when everything before it was heard."""

    name: str


@dataclass(frozen=True, slots=True)
class Clear:
    """What is queued is thrown away."""


def read_message(text: str, stream_sid: str) -> Media | Mark | Clear:
    """Raises BadMessage."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadMessage("no JSON") from error
    message: Media | Mark | Clear
    inner: dict[object, object] = {}
    match body:
        case {
            "event": "media",
            "streamSid": sid,
            "media": {"payload": str(payload), **inner},
            **rest,
        }:
            message = Media(_sound(payload))
        case {"event": "mark", "streamSid": sid, "mark": {"name": str(name), **inner}, **rest}:
            message = Mark(name)
        case {"event": "clear", "streamSid": sid, **rest}:
            message = Clear()
        case _:
            raise BadMessage("a message that is none of media, mark and clear, or lacks a field")
    if inner or rest:
        raise BadMessage("a message with other fields than the documented ones")
    if sid != stream_sid:
        raise BadMessage("a message for another stream")
    return message


def _sound(payload: str) -> bytes:
    try:
        return base64.b64decode(payload, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadMessage("a payload that is no base64") from error
