"""The items of a session: what was said, heard, called and answered, in order."""

from __future__ import annotations

import asyncio
import json
import secrets
import string
from dataclasses import dataclass, field
from typing import Any

from local.realtime.errors import Refusal, invalid, missing
from local.realtime.mind.port import Called, Role, Said
from local.speech.ports import BYTES_PER_MS, WordTiming

MAX_ID = 32
_LETTERS = string.ascii_letters + string.digits


def new_id(prefix: str, length: int = 21) -> str:
    return f"{prefix}_" + "".join(secrets.choice(_LETTERS) for _ in range(length))


@dataclass(slots=True)
class Item:
    """One item. `sound` is all its audio as made, `words` the assistant's spoken words with the times of their ends."""

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
        if self.role == "user" and self.is_audio:
            return [{"type": "input_audio", "transcript": None}]
        if self.role == "assistant" and self.is_audio:
            if self.status == "in_progress":
                return []
            return [{"type": "output_audio", "transcript": self.text}]
        kind = "output_text" if self.role == "assistant" else "input_text"
        return [{"type": kind, "text": self.text}]

    def seen(self) -> Said | None:
        """As the mind sees a message."""
        if self.kind != "message" or self.role is None:
            return None
        if self.role == "user" and self.is_audio:
            known = self.transcript is not None and self.transcript.done()
            text = self.transcript.result() if known and self.transcript is not None else ""
            return Said(Role.USER, text)
        if self.heard_ms is not None:
            left = [word.word for word in self.words if word.end_ms <= self.heard_ms]
            return Said(Role.ASSISTANT, " ".join(left), cut=True)
        return Said(Role(self.role), self.text, cut=self.status == "incomplete")


class Conversation:
    """Items in order."""

    def __init__(self) -> None:
        self.items: list[Item] = []

    def find(self, item_id: str) -> Item | None:
        return next((item for item in self.items if item.id == item_id), None)

    def add(self, item: Item, after: str | None = None) -> str | None:
        """Insert an item; gives the id of the one before it. Raises Refusal."""
        if len(item.id) > MAX_ID:
            raise Refusal("string_above_max_length", f"Expected at most {MAX_ID}.", "item.id")
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

    def truncate(self, item_id: str, index: int, end_ms: int) -> None:
        """Keep only what was heard of a spoken assistant item."""
        item = self.find(item_id)
        if item is None or item.role != "assistant" or not item.is_audio:
            raise Refusal(
                "item_truncate_invalid_item_id",
                "Only assistant audio can be truncated.",
                "item_id",
            )
        if index != 0:
            raise invalid("content_index", "Expected 0.")
        have = item.heard_ms if item.heard_ms is not None else item.generated_ms
        if end_ms > have:
            raise invalid(
                "audio_end_ms",
                f"Audio content of {have}ms is already shorter than {end_ms}ms",
            )
        item.heard_ms, item.text = end_ms, ""

    def seen(self) -> list[Said | Called]:
        """As the mind sees it."""
        outputs = {i.call_id: i.output for i in self.items if i.kind == "function_call_output"}
        entries: list[Said | Called] = []
        for item in self.items:
            if item.kind == "function_call":
                arguments = json.loads(item.arguments or "{}")
                call_id = item.call_id or ""
                entries.append(Called(call_id, item.name or "", arguments, outputs.get(call_id)))
            else:
                said = item.seen()
                if said is not None:
                    entries.append(said)
        return entries


def parse_item(body: Any) -> Item:
    """An item that the client creates; raises Refusal."""
    if not isinstance(body, dict) or "type" not in body:
        raise missing("item.type")
    item_id = body.get("id") or new_id("item")
    kind = body["type"]
    if kind == "function_call_output":
        if not body.get("call_id"):
            raise missing("item.call_id")
        return Item(item_id, kind, call_id=body["call_id"], output=str(body.get("output", "")))
    if kind == "function_call":
        return Item(
            item_id,
            kind,
            call_id=body.get("call_id") or new_id("call", 16),
            name=body.get("name"),
            arguments=body.get("arguments", ""),
        )
    if kind != "message":
        raise invalid("item.type", "Expected message, function_call or function_call_output.")
    role = body.get("role")
    if role not in ("system", "user", "assistant"):
        raise invalid("item.role", "Expected system, user or assistant.")
    texts = []
    for part in body.get("content") or []:
        wanted = "output_text" if role == "assistant" else "input_text"
        if part.get("type") != wanted or "text" not in part:
            if role == "assistant":
                raise missing("item.content[0].text")
            raise invalid("item.content[0].type", f"Expected {wanted}.")
        texts.append(part["text"])
    return Item(item_id, kind, role=role, text=" ".join(texts))
