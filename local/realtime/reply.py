"""One response: the mind's reply turned into the service's stream of events, at the service's pace."""

from __future__ import annotations

import asyncio
import base64
import json
import math
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from local.realtime.codec import Codec
from local.realtime.conversation import Item, new_id, obfuscation
from local.realtime.meter import MS_PER_SPOKEN_TOKEN
from local.realtime.mind.port import Call, MindReply, Say
from local.realtime.session_settings import is_newer
from local.realtime.state import SessionState
from local.speech.ports import BYTES_PER_MS, Speaker, Utterance, Voice, WordTiming

# The first deltas are shorter (recorded traffic), then about five tokens each.
_FIRST_DELTAS_MS = (100, 200)
DELTA_MS = 250
STRAGGLERS = 3
_SENTENCE = re.compile(r"[^.!?]+[.!?]+\s*|[^.!?]+$")


@dataclass(slots=True)
class Response:
    """A response under way. `cancelled` holds the reason once it was cancelled, `incomplete` the reason why
    it ends early by itself."""

    id: str
    conversation_id: str | None
    metadata: dict[str, str] | None
    text_only: bool
    max_output_tokens: int | str
    audio_output: dict[str, Any]
    status: str = "in_progress"
    details: dict[str, Any] | None = None
    usage: dict[str, Any] | None = None
    output: list[Item] = field(default_factory=list)
    cancelled: str | None = None
    incomplete: str | None = None
    _cancelling: asyncio.Event = field(default_factory=asyncio.Event)

    def cancel(self, reason: str) -> None:
        """The first reason counts."""
        self.cancelled = self.cancelled or reason
        self._cancelling.set()

    async def until_cancelled(self) -> None:
        await self._cancelling.wait()

    @property
    def budget_ms(self) -> float:
        """Sound that the limit of tokens allows; a token is 50 ms."""
        limit = self.max_output_tokens
        return limit * MS_PER_SPOKEN_TOKEN if isinstance(limit, int) else math.inf

    def finish(self) -> None:
        """Its status, by how it went."""
        if self.cancelled:
            self.status = "cancelled"
            self.details = {"type": "cancelled", "reason": self.cancelled}
        elif self.incomplete:
            self.status = "incomplete"
            self.details = {"type": "incomplete", "reason": self.incomplete}
        else:
            self.status = "completed"

    def on_the_wire(self) -> dict[str, Any]:
        return {
            "object": "realtime.response",
            "id": self.id,
            "status": self.status,
            "status_details": self.details,
            "output": [item.on_the_wire() for item in self.output],
            "conversation_id": self.conversation_id,
            "output_modalities": ["text"] if self.text_only else ["audio"],
            "max_output_tokens": self.max_output_tokens,
            "audio": {"output": self.audio_output},
            "usage": self.usage,
            "metadata": self.metadata,
        }


class Speaking:
    """Performs a reply."""

    def __init__(
        self,
        state: SessionState,
        voice: Voice,
        codec: Codec,
        on_sound: Callable[[], Awaitable[None]],
    ) -> None:
        """`codec` is for the sound of this reply alone; `on_sound` is called after each delta of it."""
        self._emit = state.emit
        self._conversation = state.conversation
        self._faults = state.settings.faults
        # As the session listens now: a reply under way keeps its pace.
        self._pace = state.pace
        self._has_phases = is_newer(state.model)
        self._voice = voice
        self._codec = codec
        self._on_sound = on_sound

    async def perform(self, response: Response, reply: MindReply) -> None:
        """Emit everything between `response.created` and `response.done`."""
        for index, part in enumerate(reply.parts):
            if response.cancelled:
                return
            if isinstance(part, Call):
                await self._call(response, part, index)
            elif response.text_only:
                await self._write(response, part, index)
            else:
                await self._say(response, part, index, self._phase(reply.parts[index + 1 :]))

    def _phase(self, following: Sequence[object]) -> str | None:
        """What is said before a tool is called is a commentary."""
        if not self._has_phases:
            return None
        calls = any(isinstance(part, Call) for part in following)
        return "commentary" if calls else "final_answer"

    async def _begin(self, response: Response, item: Item, index: int) -> dict[str, Any]:
        item.status = "in_progress"
        response.output.append(item)
        wire = item.on_the_wire()
        await self._emit(
            "response.output_item.added",
            response_id=response.id,
            output_index=index,
            item=wire,
        )
        if response.conversation_id is not None:
            before = self._conversation.add(item)
            await self._emit("conversation.item.added", previous_item_id=before, item=wire)
        return {"response_id": response.id, "item_id": item.id, "output_index": index}

    async def _end(self, response: Response, item: Item, index: int) -> None:
        item.status = "incomplete" if response.cancelled or response.incomplete else "completed"
        wire = item.on_the_wire()
        if response.conversation_id is not None:
            await self._emit("conversation.item.done", previous_item_id=None, item=wire)
        await self._emit(
            "response.output_item.done",
            response_id=response.id,
            output_index=index,
            item=wire,
        )

    async def _say(self, response: Response, part: Say, index: int, phase: str | None) -> None:
        item = Item(new_id("item"), "message", role="assistant", is_audio=True, phase=phase)
        self._conversation.spoken.append(item)
        ids = await self._begin(response, item, index)
        content = {**ids, "content_index": 0}
        empty = {"type": "audio", "transcript": ""}
        await self._emit("response.content_part.added", **content, part=empty)
        deltas = iter(_FIRST_DELTAS_MS)
        await asyncio.sleep(self._faults.slow_first_delta_ms / 1_000)
        sentences = _SENTENCE.findall(part.text)
        # All at once, so that no gap opens between two sentences while the voice is busy elsewhere.
        spoken = [
            asyncio.ensure_future(self._voice.speak(s.strip(), Speaker.AGENT)) for s in sentences
        ]
        try:
            for sentence, speaking in zip(sentences, spoken, strict=True):
                if response.cancelled or (response.incomplete and item.generated_ms):
                    break
                await self._sentence(response, item, sentence, await speaking, content, deltas)
        finally:
            for speaking in spoken:
                speaking.cancel()
            await asyncio.gather(*spoken, return_exceptions=True)
        item.text = item.text.strip()
        await self._emit("response.output_audio.done", **content)
        await self._emit("response.output_audio_transcript.done", **content, transcript=item.text)
        done = {"type": "audio", "transcript": item.text}
        await self._emit("response.content_part.done", **content, part=done)
        await self._end(response, item, index)

    async def _sentence(
        self,
        response: Response,
        item: Item,
        sentence: str,
        utterance: Utterance,
        content: dict[str, Any],
        sizes: Iterator[int],
    ) -> None:
        await self._words(content, sentence)
        item.text += sentence
        item.words += [WordTiming(w.word, w.end_ms + item.generated_ms) for w in utterance.words]
        await self._sound(response, item, utterance, content, sizes)

    async def _words(self, content: dict[str, Any], sentence: str) -> None:
        for word in re.findall(r"\S+\s*", sentence):
            await self._emit(
                "response.output_audio_transcript.delta",
                **content,
                delta=word,
                obfuscation=obfuscation(),
            )

    async def _sound(
        self,
        response: Response,
        item: Item,
        utterance: Utterance,
        content: dict[str, Any],
        sizes: Iterator[int],
    ) -> None:
        position, stragglers = 0, 0
        while position < len(utterance.sound):
            if response.cancelled:
                stragglers += 1
                if stragglers > STRAGGLERS:
                    return
            size = next(sizes, DELTA_MS) * BYTES_PER_MS - (7 if self._faults.odd_deltas else 0)
            piece = utterance.sound[position : position + size]
            position += len(piece)
            if item.generated_ms + len(piece) // BYTES_PER_MS > response.budget_ms:
                response.incomplete = "max_output_tokens"
            if response.incomplete is not None and item.generated_ms:
                return
            item.sound += piece
            item.generated_ms += len(piece) // BYTES_PER_MS
            await self._emit(
                "response.output_audio.delta",
                **content,
                delta=base64.b64encode(self._codec.from_mulaw(piece)).decode(),
            )
            await self._on_sound()
            await asyncio.sleep(len(piece) / BYTES_PER_MS / 1_000 / self._pace)

    async def _write(self, response: Response, part: Say, index: int) -> None:
        item = Item(new_id("item"), "message", role="assistant", text=part.text)
        ids = await self._begin(response, item, index)
        content = {**ids, "content_index": 0}
        empty = {"type": "text", "text": ""}
        await self._emit("response.content_part.added", **content, part=empty)
        await self._emit(
            "response.output_text.delta",
            **content,
            delta=part.text,
            obfuscation=obfuscation(),
        )
        await self._emit("response.output_text.done", **content, text=part.text)
        done = {"type": "text", "text": part.text}
        await self._emit("response.content_part.done", **content, part=done)
        await self._end(response, item, index)

    async def _call(self, response: Response, part: Call, index: int) -> None:
        call_id = new_id("call", 16)
        item = Item(new_id("item"), "function_call", call_id=call_id, name=part.name)
        ids = {**await self._begin(response, item, index), "call_id": call_id}
        item.arguments = json.dumps(dict(part.arguments), ensure_ascii=False)
        await self._emit(
            "response.function_call_arguments.delta",
            **ids,
            delta=item.arguments,
            obfuscation=obfuscation(),
        )
        for _ in range(2 if self._faults.repeat_tool_calls else 1):
            await self._emit(
                "response.function_call_arguments.done",
                **ids,
                name=part.name,
                arguments=item.arguments,
            )
        await self._end(response, item, index)
