"""The client's events, read strictly at the edge of the emulator."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter
from pydantic_core import from_json

from local.realtime.errors import Refusal, WireModel, checked, invalid
from local.realtime.item_models import Id, InputBody, ItemBody, Sound
from local.realtime.session_models import (
    Format,
    FunctionTool,
    Modalities,
    Prompt,
    Reasoning,
    SessionUpdate,
    TokenLimit,
    ToolChoice,
    VoiceChoice,
)


class ClientEvent(WireModel):
    event_id: Annotated[str, Field(max_length=512)] | None = None


class UpdateSession(ClientEvent):
    type: Literal["session.update"]
    session: SessionUpdate


class AppendSound(ClientEvent):
    type: Literal["input_audio_buffer.append"]
    audio: Sound


class CommitSound(ClientEvent):
    type: Literal["input_audio_buffer.commit"]


class ClearSound(ClientEvent):
    type: Literal["input_audio_buffer.clear"]


class CreateItem(ClientEvent):
    type: Literal["conversation.item.create"]
    item: ItemBody
    previous_item_id: str | None = None


class RetrieveItem(ClientEvent):
    type: Literal["conversation.item.retrieve"]
    item_id: str


class TruncateItem(ClientEvent):
    type: Literal["conversation.item.truncate"]
    item_id: str
    content_index: Literal[0]
    audio_end_ms: Annotated[int, Field(ge=0)]


class DeleteItem(ClientEvent):
    type: Literal["conversation.item.delete"]
    item_id: str


class ResponseAudioOutput(WireModel):
    format: Format | None = None
    voice: VoiceChoice | None = None


class ResponseAudio(WireModel):
    output: ResponseAudioOutput = ResponseAudioOutput()


class ResponseWish(WireModel):
    """What one response is to be like; what is left out is as in the session."""

    conversation: Literal["auto", "none"] = "auto"
    input: list[InputBody] | None = None
    instructions: str | None = None
    output_modalities: Modalities | None = None
    audio: ResponseAudio = ResponseAudio()
    tools: list[FunctionTool] | None = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    reasoning: Reasoning | None = None
    max_output_tokens: TokenLimit | None = None
    prompt: Prompt | None = None
    metadata: (
        Annotated[
            dict[
                Annotated[str, Field(max_length=64)],
                Annotated[str, Field(max_length=512)],
            ],
            Field(max_length=16),
        ]
        | None
    ) = None


class CreateResponse(ClientEvent):
    type: Literal["response.create"]
    response: ResponseWish = ResponseWish()


class CancelResponse(ClientEvent):
    type: Literal["response.cancel"]
    response_id: Id | None = None


AnyEvent = (
    AppendSound
    | UpdateSession
    | CommitSound
    | ClearSound
    | CreateItem
    | RetrieveItem
    | TruncateItem
    | DeleteItem
    | CreateResponse
    | CancelResponse
)
_EVENTS: dict[str, TypeAdapter[Any]] = {
    "session.update": TypeAdapter(UpdateSession),
    "input_audio_buffer.append": TypeAdapter(AppendSound),
    "input_audio_buffer.commit": TypeAdapter(CommitSound),
    "input_audio_buffer.clear": TypeAdapter(ClearSound),
    "conversation.item.create": TypeAdapter(CreateItem),
    "conversation.item.retrieve": TypeAdapter(RetrieveItem),
    "conversation.item.truncate": TypeAdapter(TruncateItem),
    "conversation.item.delete": TypeAdapter(DeleteItem),
    "response.create": TypeAdapter(CreateResponse),
    "response.cancel": TypeAdapter(CancelResponse),
}


def parse(text: str) -> dict[str, Any]:
    """The event's JSON object; raises Refusal."""
    try:
        body = from_json(text, allow_inf_nan=False)
    except ValueError as error:
        raise Refusal("invalid_event", "The event could not be parsed as JSON.") from error
    if not isinstance(body, dict):
        raise Refusal("invalid_event", "The event must be a JSON object.")
    return body


def read(body: dict[str, Any]) -> AnyEvent:
    """The event; raises Refusal."""
    kind = body.get("type")
    known = _EVENTS.get(kind) if isinstance(kind, str) else None
    if known is None:
        allowed = ", ".join(f"'{name}'" for name in _EVENTS)
        raise invalid("type", f"Invalid value: '{kind}'. Supported values are: {allowed}.")
    event: AnyEvent = checked(known, body)
    return event
