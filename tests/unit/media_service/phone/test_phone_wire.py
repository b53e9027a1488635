"""Media Streams on the wire."""

from __future__ import annotations

import json

import pytest

from media_service.phone import wire
from media_service.phone.wire import PhoneProtocolError, PhoneWriter

MEDIA = '{"event":"media","sequenceNumber":"3","streamSid":"MZ1","media":{"track":"inbound","chunk":"1","timestamp":"20","payload":"f\\/\\/="}}'


def test_a_payload_is_passed_on_as_it_came() -> None:
    message = wire.decode(MEDIA)
    assert message.media is not None
    assert bytes(message.media.payload) == b'"f\\/\\/="'
    assert (message.media.track, message.media.timestamp) == ("inbound", "20")


def test_a_start_brings_its_parameters() -> None:
    start = wire.decode(
        '{"event":"start","streamSid":"MZ1","start":{"streamSid":"MZ1","callSid":"CA1",'
        '"accountSid":"AC1","mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,'
        '"channels":1},"customParameters":{"token":"t"}}}'
    ).start
    assert start is not None
    assert (start.call_sid, start.custom_parameters) == ("CA1", {"token": "t"})


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "no json",
        "[]",
        '{"streamSid":"MZ1"}',
        '{"event":1}',
        '{"event":"media","streamSid":"MZ1","media":{"payload":7}}',
        '{"event":"media","streamSid":"MZ1","media":{}}',
        '{"event":"media","streamSid":"MZ1","media":{"payload":"","timestamp":"1234567890123"}}',
        '{"event":"mark","streamSid":"MZ1","mark":{}}',
        '{"event":"stop","streamSid":"\\ud800"}',
        b'{"event":"\xff"}',
    ],
)
def test_what_is_no_message_is_told_without_its_content(frame: str | bytes) -> None:
    with pytest.raises(PhoneProtocolError) as refused:
        wire.decode(frame)
    assert "MZ1" not in str(refused.value)


def test_an_event_that_nobody_knows_yet_is_a_message() -> None:
    assert wire.decode('{"event":"news","streamSid":"MZ1"}').event == "news"


def test_what_is_sent_is_json_with_the_streams_id() -> None:
    writer = PhoneWriter('MZ"1')
    assert json.loads(writer.media(b"\xff" * 3)) == {
        "event": "media",
        "streamSid": 'MZ"1',
        "media": {"payload": "////"},
    }
    assert json.loads(writer.mark("a:200"))["mark"] == {"name": "a:200"}
    assert json.loads(writer.clear) == {"event": "clear", "streamSid": 'MZ"1'}
