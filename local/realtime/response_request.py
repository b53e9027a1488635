"""What a response is to be made from, fixed and checked before the response exists."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local.realtime.client_events import ResponseWish
from local.realtime.conversation import Item, new_id, seen, written
from local.realtime.errors import invalid
from local.realtime.item_models import ItemReference
from local.realtime.meter import Block, request_blocks
from local.realtime.mind.port import MindView, ToolOffer
from local.realtime.reply import Response
from local.realtime.session_settings import refuse_older, refuse_voice
from local.realtime.state import SessionState


@dataclass(frozen=True, slots=True)
class Request:
    """`guidance` is the request's own instructions, which stand in for the session's."""

    instructions: str
    guidance: str | None
    tools: list[dict[str, Any]]
    may_call: bool
    items: list[Item]
    wants_text: bool

    def view(self) -> MindView:
        """As the mind sees it; the transcripts of its items must have been heard."""
        offers = [
            ToolOffer(tool["name"], tool.get("description", ""), tool.get("parameters", {}))
            for tool in self.tools
        ]
        return MindView(
            instructions=self.instructions,
            tools=offers if self.may_call else [],
            conversation=seen(self.items),
            guidance=self.guidance,
            wants_text=self.wants_text,
        )

    def blocks(self) -> tuple[Block, ...]:
        """As it is billed."""
        read = self.instructions if self.guidance is None else self.guidance
        return request_blocks(read, self.tools, self.items)


def requested(
    state: SessionState, wish: ResponseWish, hear: Callable[[Item], None]
) -> tuple[Request, Response]:
    """The request and its response to be; `hear` begins to listen to sound in it. Raises Refusal."""
    session = state.session
    refuse_older(state.model, wish.model_fields_set, "response")
    sent = wish.model_dump(mode="json", exclude_unset=True, exclude={"input"})
    output = {**session["audio"]["output"], **sent.get("audio", {}).get("output", {})}
    if state.has_spoken:
        voice = session["audio"]["output"]["voice"]
        refuse_voice(voice, output["voice"], "response.audio.output.voice")
    request = Request(
        instructions=session["instructions"],
        guidance=wish.instructions,
        tools=session["tools"] if wish.tools is None else sent["tools"],
        may_call=(wish.tool_choice or session["tool_choice"]) != "none",
        items=_items(state, wish, hear),
        wants_text=wish.output_modalities == ["text"],
    )
    response = Response(
        id=new_id("resp"),
        conversation_id=None if wish.conversation == "none" else state.conversation_id,
        metadata=wish.metadata,
        text_only=(wish.output_modalities or session["output_modalities"]) == ["text"],
        max_output_tokens=wish.max_output_tokens or session["max_output_tokens"],
        audio_output={"format": output["format"], "voice": output["voice"]},
    )
    return request, response


def _items(state: SessionState, wish: ResponseWish, hear: Callable[[Item], None]) -> list[Item]:
    if wish.input is None:
        return list(state.conversation.items)
    items = []
    for index, body in enumerate(wish.input):
        path = f"response.input[{index}]"
        if isinstance(body, ItemReference):
            known = state.conversation.find(body.id)
            if known is None:
                raise invalid(f"{path}.id", "The referenced item does not exist.")
            items.append(known)
        else:
            items.append(written(body, state.input_codec(), path))
    for item in items:
        if item.role == "user" and item.is_audio and item.transcript is None:
            hear(item)
    return items
