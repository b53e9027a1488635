"""The items of a session: what was said, heard, called and answered, in order."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import string
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from local.realtime.codec import Codec
from local.realtime.errors import Refusal, invalid, missing
from local.realtime.item_models import (
    AssistantMessage,
    FunctionCall,
    FunctionCallOutput,
    InputAudio,
    UserMessage,
    WrittenItem,
)
from local.realtime.mind.port import Called, Role, Said
from local.speech.ports import BYTES_PER_MS, WordTiming

_LETTERS = string.ascii_letters + string.digits


def new_id(prefix: str, length: int = 21) -> str:
    return f"{prefix}_{_random_letters(length)}"


def obfuscation() -> str:
    """Padding of a delta, which hides how long it is."""
    return _random_letters(8)


def _random_letters(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


@dataclass(slots=True)
class Item:
    """One item. `text` and `sound` are all of it as made, `words` the assistant's spoken words with the times of their
    ends; `heard_ms` is how far it was truncated."""

    id: str
    kind: str
    role: str | None = None
    text: str = ""
    is_audio: bool = False
    sound: bytes = b""
    words: list[WordTiming] = field(default_factory=list)
    generated_ms: int = 0
    heard_ms: int | None = None
    transcript: asyncio.Task[str] | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str = ""
    output: str | None = None
    status: str = "completed"
    phase: str | None = None

    @property
    def kept_text(self) -> str:
        """A truncation takes the whole transcript away, also of what is still being made."""
        return self.text if self.heard_ms is None else ""

    @property
    def kept_sound(self) -> bytes:
        return self.sound if self.heard_ms is None else self.sound[: self.heard_ms * BYTES_PER_MS]

    @property
    def audio_ms(self) -> int:
        """Sound that this item holds and that is billed as audio."""
        if self.role == "user":
            return len(self.sound) // BYTES_PER_MS
        return self.heard_ms if self.heard_ms is not None else self.generated_ms

    def on_the_wire(self) -> dict[str, Any]:
        """As events show it: no `object`, no sound."""
        if self.kind == "function_call_output":
            return {
                "id": self.id,
                "type": self.kind,
                "call_id": self.call_id,
                "output": self.output,
            }
        body: dict[str, Any] = {"id": self.id, "type": self.kind, "status": self.status}
        if self.kind == "function_call":
            return {
                **body,
                "name": self.name,
                "call_id": self.call_id,
                "arguments": self.arguments,
            }
        if self.phase is not None:
            body["phase"] = self.phase
        return {**body, "role": self.role, "content": self._content()}

    def _content(self) -> list[dict[str, Any]]:
        if self.status == "in_progress":
            return []
        if self.role == "assistant" and self.is_audio:
            return [{"type": "output_audio", "transcript": self.kept_text}]
        kind = "output_text" if self.role == "assistant" else "input_text"
        texts = [{"type": kind, "text": self.text}] if self.text or not self.is_audio else []
        sounds = [{"type": "input_audio", "transcript": None}] if self.is_audio else []
        return [*texts, *sounds]

    def with_sound(self, codec: Codec) -> dict[str, Any]:
        """As a retrieval shows it: what is stored of its sound, in the codec's format."""
        body = self.on_the_wire()
        sound = base64.b64encode(codec.from_mulaw(self.kept_sound)).decode()
        for part in body.get("content", []):
            if part["type"] in ("input_audio", "output_audio"):
                part["audio"] = sound
        return body

    def seen(self) -> Said | None:
        """As the mind sees a message."""
        if self.kind != "message" or self.role is None:
            return None
        if self.role == "user" and self.is_audio:
            known = self.transcript is not None and self.transcript.done()
            heard = self.transcript.result() if known and self.transcript is not None else ""
            return Said(Role.USER, " ".join(filter(None, (self.text, heard))))
        if self.heard_ms is not None:
            left = [word.word for word in self.words if word.end_ms <= self.heard_ms]
            return Said(Role.ASSISTANT, " ".join(left), cut=True)
        return Said(Role(self.role), self.text, cut=self.status == "incomplete")


class Conversation:
    """Items in order. `spoken` keeps all that was ever made to be heard, also what the client deleted since."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.spoken: list[Item] = []

    def find(self, item_id: str) -> Item | None:
        return next((item for item in self.items if item.id == item_id), None)

    def add(self, item: Item, after: str | None = None) -> str | None:
        """Insert an item; gives the id of the one before it. Raises Refusal."""
        if self.find(item.id) is not None:
            raise invalid("item.id", "An item with this id exists already.")
        if after == "root":
            self.items.insert(0, item)
            return None
        if after is not None:
            known = self.find(after)
            if known is None:
                raise invalid("previous_item_id", "The previous item does not exist.")
            self.items.insert(self.items.index(known) + 1, item)
            return after
        before = self.items[-1].id if self.items else None
        self.items.append(item)
        return before

    def delete(self, item_id: str) -> None:
        item = self.find(item_id)
        if item is None:
            raise Refusal("item_delete_invalid_item_id", "The item does not exist.", "item_id")
        self.items.remove(item)

    def truncate(self, item_id: str, end_ms: int) -> None:
        """Keep only what was heard of a spoken assistant item."""
        item = self.find(item_id)
        if item is None or item.role != "assistant" or not item.is_audio:
            raise Refusal(
                "item_truncate_invalid_item_id",
                "Only assistant audio can be truncated.",
                "item_id",
            )
        have = item.heard_ms if item.heard_ms is not None else item.generated_ms
        if end_ms > have:
            raise invalid(
                "audio_end_ms",
                f"Audio content of {have}ms is already shorter than {end_ms}ms",
            )
        item.heard_ms = end_ms


def seen(items: Sequence[Item]) -> list[Said | Called]:
    """Items as the mind sees them."""
    outputs = {item.call_id: item.output for item in items if item.kind == "function_call_output"}
    entries: list[Said | Called] = []
    for item in items:
        if item.kind == "function_call":
            call_id = item.call_id or ""
            arguments = _arguments(item.arguments)
            entries.append(Called(call_id, item.name or "", arguments, outputs.get(call_id)))
        else:
            said = item.seen()
            if said is not None:
                entries.append(said)
    return entries


def _arguments(text: str) -> dict[str, Any]:
    """Arguments are a model's text: cut or broken ones say nothing."""
    try:
        arguments = json.loads(text)
    except ValueError:
        return {}
    return arguments if isinstance(arguments, dict) else {}


def written(body: WrittenItem, codec: Codec, path: str) -> Item:
    """The item that a client wrote; `codec` reads its sound. Raises Refusal."""
    item_id = body.id or new_id("item")
    if isinstance(body, FunctionCallOutput):
        return Item(item_id, body.type, call_id=body.call_id, output=body.output)
    if isinstance(body, FunctionCall):
        call_id = body.call_id or new_id("call", 16)
        return Item(item_id, body.type, call_id=call_id, name=body.name, arguments=body.arguments)
    if isinstance(body, AssistantMessage):
        _only_text(body, path)
    item = Item(item_id, body.type, role=body.role)
    item.text = " ".join(part.text for part in body.content if not isinstance(part, InputAudio))
    if isinstance(body, UserMessage):
        sounds = [part.audio for part in body.content if isinstance(part, InputAudio)]
        item.is_audio = bool(sounds)
        item.sound = b"".join(codec.to_mulaw(sound) for sound in sounds)
    return item


def _only_text(body: AssistantMessage, path: str) -> None:
    """What an assistant said may come back as text alone."""
    if not body.content:
        raise missing(f"{path}.content[0].text")
    for index, part in enumerate(body.content):
        if part.type != "output_text":
            raise invalid(f"{path}.content[{index}].type", "Expected output_text.")
