"""Twilio Media Streams on the wire. Every counter is text; a `media` frame's payload is passed on untouched."""

from __future__ import annotations

import base64
import json
from typing import Annotated

import msgspec

from shared.domain.errors import SofiaError

# Of the callee's sound in one message; seen always, promised never.
FRAME_MS = 20
# Thirty years in milliseconds; Python refuses to count with thousands of digits.
MAX_TIMESTAMP_DIGITS = 12


class PhoneProtocolError(SofiaError):
    """The other side does not speak Media Streams; the text says what was wrong, without content."""


class Media(msgspec.Struct):
    """`payload` is the JSON string as it came, quotes included: it goes to the model without being decoded."""

    payload: msgspec.Raw
    track: str | None = None
    timestamp: Annotated[str, msgspec.Meta(max_length=MAX_TIMESTAMP_DIGITS)] | None = None


class MediaFormat(msgspec.Struct):
    encoding: str
    sample_rate: int = msgspec.field(name="sampleRate", default=0)
    channels: int = 0


class Start(msgspec.Struct):
    stream_sid: str = msgspec.field(name="streamSid")
    call_sid: str = msgspec.field(name="callSid")
    account_sid: str = msgspec.field(name="accountSid")
    media_format: MediaFormat = msgspec.field(name="mediaFormat")
    custom_parameters: dict[str, str] = msgspec.field(name="customParameters", default_factory=dict)


class Mark(msgspec.Struct):
    name: str


class Dtmf(msgspec.Struct):
    digit: str


class PhoneMessage(msgspec.Struct):
    """Any message from the carrier."""

    event: str
    stream_sid: str | None = msgspec.field(name="streamSid", default=None)
    media: Media | None = None
    start: Start | None = None
    mark: Mark | None = None
    dtmf: Dtmf | None = None


_decoder = msgspec.json.Decoder(PhoneMessage)


def decode(frame: str | bytes) -> PhoneMessage:
    """Raises PhoneProtocolError."""
    try:
        message = _decoder.decode(frame)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise PhoneProtocolError(
            "a frame of the phone line is not a Media Streams message"
        ) from error
    if message.media is not None and bytes(message.media.payload)[:1] != b'"':
        raise PhoneProtocolError("a media frame's payload is not text")
    return message


class PhoneWriter:
    """Messages to the carrier for one stream, built from fixed parts."""

    def __init__(self, stream_sid: str) -> None:
        sid = json.dumps(stream_sid)
        self._media = f'{{"event":"media","streamSid":{sid},"media":{{"payload":"'.encode()
        self._mark = f'{{"event":"mark","streamSid":{sid},"mark":{{"name":'.encode()
        self.clear = f'{{"event":"clear","streamSid":{sid}}}'.encode()

    def media(self, sound: bytes) -> bytes:
        return self._media + base64.b64encode(sound) + b'"}}'

    def mark(self, name: str) -> bytes:
        return self._mark + json.dumps(name).encode() + b"}}"
