"""OpenAI Realtime on the wire: frames to events, actions to frames.

Decoding is typed and partial: of some forty event types only those that mean something to a call are read, and of
those only the fields needed.
"""

from __future__ import annotations

import base64
import binascii
import json

import msgspec

from media_service.engine import actions as ac
from media_service.engine import events as ev
from shared.domain.conversation import Usage, UsageKind
from shared.domain.errors import SofiaError


class ModelProtocolError(SofiaError):
    """The service sent what is no event of its own; the text does not repeat it."""


class _Details(msgspec.Struct):
    text_tokens: int | None = None
    audio_tokens: int | None = None
    cached_tokens_details: _Details | None = None


class _Usage(msgspec.Struct):
    type: str | None = None
    seconds: float | None = None
    input_token_details: _Details | None = None
    output_token_details: _Details | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None


class _Error(msgspec.Struct):
    code: str | None = None
    type: str | None = None
    event_id: str | None = None


class _StatusDetails(msgspec.Struct):
    reason: str | None = None
    error: _Error | None = None


class _Response(msgspec.Struct):
    id: str
    status: str | None = None
    status_details: _StatusDetails | None = None
    usage: _Usage | None = None
    metadata: dict[str, str] | None = None


class _Session(msgspec.Struct):
    expires_at: float | None = None


class ServerEvent(msgspec.Struct):
    """The union of the fields that any event we read carries."""

    type: str
    item_id: str | None = None
    response_id: str | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    delta: str | None = None
    transcript: str | None = None
    audio_start_ms: int | None = None
    audio_end_ms: int | None = None
    response: _Response | None = None
    error: _Error | None = None
    usage: _Usage | None = None
    session: _Session | None = None


_decoder = msgspec.json.Decoder(ServerEvent)
_APPEND_HEAD = b'{"type":"input_audio_buffer.append","audio":'
_APPEND_TAIL = b"}"


def decode(frame: bytes | str) -> ServerEvent:
    """Raises ModelProtocolError where the frame is no such JSON."""
    try:
        return _decoder.decode(frame)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ModelProtocolError("a frame of the model is not an event") from error


def append(payload: bytes) -> bytes:
    """A frame of the callee's sound; `payload` is a JSON string, quotes included, passed on untouched."""
    return _APPEND_HEAD + payload + _APPEND_TAIL


def as_event(wire: ServerEvent, model: str, transcription_model: str) -> ev.Event | None:
    """What a frame means for the call, None for nothing. The frequent ones come first. Raises ModelProtocolError."""
    kind = wire.type
    if kind == "response.output_audio.delta":
        return ev.SoundMade(wire.response_id or "", wire.item_id or "", _sound(wire.delta or ""))
    if kind == "response.output_audio_transcript.delta":
        return ev.WordsMade(wire.response_id or "", wire.item_id or "", wire.delta or "")
    if kind == "input_audio_buffer.speech_started":
        return ev.SpeechStarted(wire.item_id or "", wire.audio_start_ms or 0)
    if kind == "input_audio_buffer.speech_stopped":
        return ev.SpeechStopped(wire.item_id or "", wire.audio_end_ms or 0)
    if kind == "input_audio_buffer.committed":
        return ev.Committed(wire.item_id or "")
    if kind == "conversation.item.input_audio_transcription.completed":
        usage = _transcription_usage(wire.usage, transcription_model)
        return ev.WordsHeard(wire.item_id or "", (wire.transcript or "").strip(), usage)
    if kind == "conversation.item.input_audio_transcription.failed":
        return ev.WordsHeard(wire.item_id or "", "")
    if kind == "response.created" and wire.response is not None:
        return ev.ReplyStarted(wire.response.id, (wire.response.metadata or {}).get("tag"))
    if kind == "response.function_call_arguments.done":
        return ev.ToolCalled(
            wire.response_id or "",
            wire.call_id or "",
            wire.name or "",
            wire.arguments or "{}",
        )
    if kind == "response.done" and wire.response is not None:
        return _reply_ended(wire.response, model)
    if kind == "error" and wire.error is not None:
        return ev.ModelRefused(wire.error.code or wire.error.type or "", wire.error.event_id)
    return None


def _sound(delta: str) -> bytes:
    try:
        return base64.b64decode(delta)
    except (binascii.Error, ValueError) as error:
        raise ModelProtocolError("a piece of the model's sound is not base64") from error


def _reply_ended(response: _Response, model: str) -> ev.ReplyEnded:
    details = response.status_details
    code = None
    if details is not None:
        code = details.error.code if details.error else details.reason
    try:
        status = ev.ReplyStatus(response.status or "")
    except ValueError:
        status = ev.ReplyStatus.FAILED
    return ev.ReplyEnded(response.id, status, code, _response_usage(response.usage, model))


def _response_usage(usage: _Usage | None, model: str) -> Usage | None:
    """Every detail may be missing; reasoning tokens are contained in the text tokens."""
    if usage is None:
        return None
    taken = usage.input_token_details or _Details()
    cached = taken.cached_tokens_details or _Details()
    given = usage.output_token_details or _Details()
    return Usage(
        kind=UsageKind.RESPONSE,
        model=model,
        text_in=taken.text_tokens or 0,
        text_in_cached=cached.text_tokens or 0,
        audio_in=taken.audio_tokens or 0,
        audio_in_cached=cached.audio_tokens or 0,
        text_out=given.text_tokens or 0,
        audio_out=given.audio_tokens or 0,
    )


def _transcription_usage(usage: _Usage | None, model: str) -> Usage | None:
    """Billed by duration or by tokens, depending on the transcription model."""
    if usage is None:
        return None
    if usage.type == "duration":
        return Usage(UsageKind.TRANSCRIPTION, model, seconds=usage.seconds or 0.0)
    taken = usage.input_token_details or _Details()
    return Usage(
        UsageKind.TRANSCRIPTION,
        model,
        text_in=taken.text_tokens or 0,
        audio_in=taken.audio_tokens or 0,
        text_out=usage.output_tokens or 0,
    )


def encode(action: ac.Action) -> bytes | None:
    """The frame for an action of the model's side, None for one that is not."""
    body = _body(action)
    return None if body is None else json.dumps(body, ensure_ascii=False).encode()


def _body(action: ac.Action) -> dict[str, object] | None:
    match action:
        case ac.AddItem(item_id, speaker, text, after):
            kind = "output_text" if speaker is ac.Speaker.ASSISTANT else "input_text"
            item = {
                "id": item_id,
                "type": "message",
                "role": speaker.value,
                "content": [{"type": kind, "text": text}],
            }
            body: dict[str, object] = {"type": "conversation.item.create", "item": item}
            return body if after is None else {**body, "previous_item_id": after}
        case ac.DeleteItem(item_id):
            return {"type": "conversation.item.delete", "item_id": item_id}
        case ac.TruncateItem(item_id, heard_ms):
            return {
                "type": "conversation.item.truncate",
                "item_id": item_id,
                "content_index": 0,
                "audio_end_ms": heard_ms,
            }
        case ac.CreateReply(tag):
            # The tag is both: event_id names a refused request, metadata comes back with the reply.
            response = {"metadata": {"tag": tag}}
            return {"type": "response.create", "event_id": tag, "response": response}
        case ac.CancelReply(response_id):
            return {"type": "response.cancel", "response_id": response_id}
        case ac.AnswerTool(call_id, result):
            output = json.dumps(dict(result), ensure_ascii=False)
            item = {
                "type": "function_call_output",
                "call_id": call_id,
                "output": output,
            }
            return {"type": "conversation.item.create", "item": item}
        case _:
            return None
