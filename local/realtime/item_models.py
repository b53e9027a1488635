"""The items that a client may write, as the service reads them.

Pictures and MCP items are refused: the emulator has no eyes and no MCP.
"""

from __future__ import annotations

import base64
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from local.realtime.errors import WireModel

MAX_ID = 32


def _from_base64(value: Any) -> bytes:
    if not isinstance(value, str):
        raise ValueError("expected base64 text")
    try:
        return base64.b64decode(value, validate=True)
    except ValueError:
        raise ValueError("this is not base64") from None


Sound = Annotated[bytes, BeforeValidator(_from_base64)]
Id = Annotated[str, Field(min_length=1, max_length=MAX_ID)]


class _Item(WireModel):
    id: Id | None = None
    object: Literal["realtime.item"] = "realtime.item"
    status: Literal["completed", "incomplete", "in_progress"] = "completed"
    """Has no effect."""


class InputText(WireModel):
    type: Literal["input_text"]
    text: str


class InputAudio(WireModel):
    """Sound in the session's input format; the transcript is not shown to the model."""

    type: Literal["input_audio"]
    audio: Sound
    transcript: str | None = None


class OutputText(WireModel):
    """The service takes no sound back: a part without text is refused for its missing text."""

    type: Literal["output_text", "output_audio"]
    text: str
    audio: str | None = None
    transcript: str | None = None


class SystemMessage(_Item):
    type: Literal["message"]
    role: Literal["system"]
    content: list[InputText] = Field(min_length=1)


class UserMessage(_Item):
    type: Literal["message"]
    role: Literal["user"]
    content: list[Annotated[InputText | InputAudio, Field(discriminator="type")]] = Field(
        min_length=1
    )


class AssistantMessage(_Item):
    type: Literal["message"]
    role: Literal["assistant"]
    content: list[OutputText]


class FunctionCall(_Item):
    type: Literal["function_call"]
    name: Annotated[str, Field(min_length=1)]
    arguments: str
    call_id: Id | None = None


class FunctionCallOutput(_Item):
    type: Literal["function_call_output"]
    call_id: Id
    output: str


class ItemReference(WireModel):
    """An item of the conversation, named in the input of a response."""

    type: Literal["item_reference"]
    id: Id


_Message = Annotated[SystemMessage | UserMessage | AssistantMessage, Field(discriminator="role")]
WrittenItem = SystemMessage | UserMessage | AssistantMessage | FunctionCall | FunctionCallOutput
ItemBody = Annotated[_Message | FunctionCall | FunctionCallOutput, Field(discriminator="type")]
InputBody = Annotated[
    _Message | FunctionCall | FunctionCallOutput | ItemReference, Field(discriminator="type")
]
