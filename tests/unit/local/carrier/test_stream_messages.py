"""What an application may send over a stream, and what is not taken from it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.carrier.stream_messages import BadMessage, Clear, Mark, Media, read_message

SID = "MZ1"


def test_the_three_messages_are_read() -> None:
    media = {"event": "media", "streamSid": SID, "media": {"payload": "AAE="}}
    mark = {"event": "mark", "streamSid": SID, "mark": {"name": "a"}}
    assert read_message(json.dumps(media), SID) == Media(b"\x00\x01")
    assert read_message(json.dumps(mark), SID) == Mark("a")
    assert read_message(json.dumps({"event": "clear", "streamSid": SID}), SID) == Clear()


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {"event": ["clear"], "streamSid": SID},
        {"event": {"clear": 1}, "streamSid": SID},
        {"event": "clear"},
        {"event": "clear", "streamSid": 7},
        {"event": "clear", "streamSid": "MZ2"},
        {"event": "clear", "streamSid": SID, "clear": {}},
        {"event": "media", "streamSid": SID, "media": {"payload": 5}},
        {"event": "media", "streamSid": SID, "media": {"payload": "%"}},
        {"event": "media", "streamSid": SID, "media": {"payload": "AAE=", "track": "outbound"}},
        {"event": "media", "streamSid": SID, "media": "AAE="},
        {"event": "mark", "streamSid": SID, "mark": {"name": 7}},
        {"event": "mark", "streamSid": SID, "mark": {}},
    ],
)
def test_anything_else_breaks_the_protocol(body: Any) -> None:
    with pytest.raises(BadMessage):
        read_message(json.dumps(body), SID)


@pytest.mark.parametrize("text", ["", "no json", "[" * 100_000])
def test_what_is_no_json_breaks_it_too(text: str) -> None:
    with pytest.raises(BadMessage):
        read_message(text, SID)
