"""One emulated session: the client's events in, the service's events out."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from local.realtime import client_events as ce
from local.realtime import session_settings
from local.realtime.codec import Codec
from local.realtime.conversation import Conversation, Item, new_id, written
from local.realtime.detector import Detector, Found, Started, Stopped, TimedOut
from local.realtime.errors import Refusal, error_body
from local.realtime.frames import Direction, Frame
from local.realtime.mind.port import Mind
from local.realtime.responder import Cut, Responder
from local.realtime.settings import EmulatorSettings
from local.realtime.state import SessionState
from local.realtime.transcription import Transcriber
from local.speech.ports import Ears, Voice

Send = Callable[[str], Awaitable[None]]
MIN_COMMIT_MS = 100


class EmulatedSession:
    """Keeps everything that the service would keep; `frames` is all its traffic if the settings ask for it."""

    def __init__(
        self,
        model: str,
        settings: EmulatorSettings,
        ears: Ears,
        voice: Voice,
        mind: Mind,
        send: Send,
        cut: Cut,
    ) -> None:
        """`cut` closes the socket with a code."""
        lasts_s = settings.faults.expire_after_s
        expires_at = int(time.time() + (session_settings.SESSION_S if lasts_s is None else lasts_s))
        session = session_settings.defaults(new_id("sess"), model, expires_at)
        self.state = SessionState(settings, session, self.emit, random.Random(settings.seed))
        self.frames: list[Frame] = []
        self._send = send
        self._detector = Detector(ears.activity())
        self._transcriber = Transcriber(self.state, ears)
        hear = partial(self._transcriber.hear, tell=False)
        self._responder = Responder(self.state, self._detector, voice, mind, hear, cut)
        self._input_codec = self.state.input_codec()
        self._pending_item: str | None = None

    @property
    def session(self) -> dict[str, Any]:
        """The settings in force, as the wire shows them."""
        return self.state.session

    @property
    def conversation(self) -> Conversation:
        return self.state.conversation

    @property
    def errors(self) -> list[str]:
        """Codes of everything refused, and `server_error` for each failure of the emulator itself."""
        return self.state.errors

    @property
    def is_idle(self) -> bool:
        """Nothing of it runs any more."""
        return self.state.background.is_idle

    async def emit(self, event_type: str, /, **fields: Any) -> None:
        faults = self.state.settings.faults
        if faults.unknown_events:
            await self._write({"type": "session.weather", "event_id": new_id("event"), "sky": "🌦"})
        body = {"type": event_type, "event_id": new_id("event"), **fields}
        if faults.extra_fields:
            body["not_documented"] = {"at": 1}
        await self._write(body)

    async def start(self) -> None:
        await self.emit("session.created", session=self.session)

    async def stop(self) -> None:
        await self.state.background.stop()

    async def handle(self, text: str) -> None:
        """One client event. What the service refuses is answered by an `error` event."""
        if self.state.settings.record_frames:
            self.frames.append(Frame(Direction.FROM_CLIENT, text))
        event_id = None
        try:
            body = ce.parse(text)
            event_id = body["event_id"] if isinstance(body.get("event_id"), str) else None
            await self._perform(ce.read(body))
        except Refusal as refusal:
            self.errors.append(refusal.code)
            await self.emit(
                "error",
                error=error_body(
                    "invalid_request_error",
                    refusal.code,
                    str(refusal),
                    param=refusal.param,
                    event_id=event_id,
                ),
            )

    async def _write(self, body: dict[str, Any]) -> None:
        text = json.dumps(body, ensure_ascii=False)
        if self.state.settings.record_frames:
            self.frames.append(Frame(Direction.TO_CLIENT, text))
        await self._send(text)

    async def _perform(self, event: ce.AnyEvent) -> None:
        match event:
            case ce.AppendSound():
                await self._append(event.audio)
            case ce.UpdateSession():
                self.state.session = session_settings.updated(
                    self.session, event.session, self.state.has_spoken
                )
                await self.emit("session.updated", session=self.session)
            case ce.CommitSound():
                await self._commit_by_hand()
            case ce.ClearSound():
                self._detector.clear()
                self._pending_item = None
                await self.emit("input_audio_buffer.cleared")
            case ce.CreateItem():
                await self._create_item(event)
            case ce.RetrieveItem():
                await self._retrieve(event.item_id)
            case ce.TruncateItem():
                self.conversation.truncate(event.item_id, event.audio_end_ms)
                done = event.model_dump(include={"item_id", "content_index", "audio_end_ms"})
                await self.emit("conversation.item.truncated", **done)
            case ce.DeleteItem():
                self.conversation.delete(event.item_id)
                await self.emit("conversation.item.deleted", item_id=event.item_id)
            case ce.CreateResponse():
                await self._responder.create(event.response)
            case ce.CancelResponse():
                self._responder.cancel(event.response_id)

    async def _append(self, sound: bytes) -> None:
        kind = self.session["audio"]["input"]["format"]["type"]
        if self._input_codec.kind != kind:
            self._input_codec = self.state.input_codec()
        heard = self._input_codec.to_mulaw(sound)
        for found in self._detector.append(heard, self.state.turn_detection):
            await self._found(found)

    async def _found(self, found: Found) -> None:
        item_id = new_id("item") if isinstance(found, Started) else self._taken_id()
        detection = self.state.turn_detection or {}
        match found:
            case Started(at_ms):
                self._pending_item = item_id
                await self.emit(
                    "input_audio_buffer.speech_started", audio_start_ms=at_ms, item_id=item_id
                )
                if detection.get("interrupt_response"):
                    self._responder.interrupt()
                return
            case Stopped(at_ms):
                await self.emit(
                    "input_audio_buffer.speech_stopped", audio_end_ms=at_ms, item_id=item_id
                )
            case TimedOut(start_ms, at_ms):
                await self.emit(
                    "input_audio_buffer.timeout_triggered",
                    audio_start_ms=start_ms,
                    audio_end_ms=at_ms,
                    item_id=item_id,
                )
        await self._commit(item_id, found.sound)
        if detection.get("create_response") and self._responder.active is None:
            await self._responder.create(ce.ResponseWish())

    def _taken_id(self) -> str:
        """The id announced at the start of the speech, or a new one."""
        taken, self._pending_item = self._pending_item or new_id("item"), None
        return taken

    async def _commit_by_hand(self) -> None:
        have = self._detector.buffered_ms
        if have < MIN_COMMIT_MS:
            raise Refusal(
                "input_audio_buffer_commit_empty",
                "Error committing input audio buffer: buffer too small. Expected at least 100ms of "
                f"audio, but buffer only has {have:.2f}ms of audio.",
            )
        await self._commit(self._taken_id(), self._detector.take())

    async def _commit(self, item_id: str, sound: bytes) -> None:
        item = Item(item_id, "message", role="user", is_audio=True, sound=sound)
        before = self.conversation.add(item)
        self._transcriber.hear(item, tell=True)
        await self.emit("input_audio_buffer.committed", previous_item_id=before, item_id=item_id)
        await self._announce(item, before)

    async def _create_item(self, event: ce.CreateItem) -> None:
        item = written(event.item, self.state.input_codec(), "item")
        before = self.conversation.add(item, event.previous_item_id)
        if item.is_audio:
            self._transcriber.hear(item, tell=False)
        await self._announce(item, before)

    async def _announce(self, item: Item, before: str | None) -> None:
        wire = item.on_the_wire()
        await self.emit("conversation.item.added", previous_item_id=before, item=wire)
        await self.emit("conversation.item.done", previous_item_id=before, item=wire)

    async def _retrieve(self, item_id: str) -> None:
        item = self.conversation.find(item_id)
        if item is None:
            raise Refusal("item_retrieve_invalid_item_id", "The item does not exist.", "item_id")
        await self.emit("conversation.item.retrieved", item=item.with_sound(self._codec_of(item)))

    def _codec_of(self, item: Item) -> Codec:
        side = "output" if item.role == "assistant" else "input"
        return Codec(self.session["audio"][side]["format"]["type"])
