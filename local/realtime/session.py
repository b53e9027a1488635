"""One emulated session: the client's events in, the service's events out."""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import json
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from local.realtime import session_settings
from local.realtime.codec import Codec
from local.realtime.conversation import Conversation, Item, new_id, parse_item
from local.realtime.detector import Detector, Started, Stopped
from local.realtime.errors import Refusal, invalid, missing
from local.realtime.mind.port import Mind, MindView, ToolOffer
from local.realtime.reply import Meter, Response, Speaking, tokens
from local.realtime.settings import EmulatorSettings
from local.speech.errors import SpeechError
from local.speech.ports import BYTES_PER_MS, Ears, Voice

Send = Callable[[str], Awaitable[None]]
Cut = Callable[[int], Awaitable[None]]
LATE_DONE_S = 1.0
MIN_COMMIT_MS = 100
CLIENT_EVENTS = (
    "session.update",
    "input_audio_buffer.append",
    "input_audio_buffer.commit",
    "input_audio_buffer.clear",
    "conversation.item.create",
    "conversation.item.retrieve",
    "conversation.item.truncate",
    "conversation.item.delete",
    "response.create",
    "response.cancel",
)


class EmulatedSession:
    """Keeps everything that the service would keep."""

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
        self.settings = settings
        self._cut = cut
        self._created = asyncio.Event()
        expires_at = int(time.time()) + session_settings.SESSION_S
        self.session = session_settings.defaults(new_id("sess"), model, expires_at)
        self.conversation = Conversation()
        self.conversation_id = new_id("conv")
        self.errors: list[str] = []
        self._ears = ears
        self._voice = voice
        self._mind = mind
        self._send = send
        self._detector = Detector(ears.activity())
        self._random = random.Random(settings.seed)
        self._active: Response | None = None
        self._responses: dict[str, Response] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._meter = Meter()
        self._pending_item: str | None = None
        self._input_codec = Codec("audio/pcmu")
        self._has_spoken = False
        self._left = Counter(
            {
                "fail": settings.faults.fail_responses,
                "stall": settings.faults.stall_responses,
                "incomplete": settings.faults.incomplete_responses,
                "close": settings.faults.close_mid_response,
                "late": settings.faults.late_done,
            }
        )

    async def emit(self, event_type: str, /, **fields: Any) -> None:
        faults = self.settings.faults
        if faults.unknown_events:
            unknown = {"type": "session.weather", "event_id": new_id("event"), "sky": "clear"}
            await self._send(json.dumps(unknown))
        body = {"type": event_type, "event_id": new_id("event"), **fields}
        if faults.extra_fields:
            body["not_documented"] = {"at": 1}
        await self._send(json.dumps(body, ensure_ascii=False))

    async def start(self) -> None:
        await self.emit("session.created", session=self.session)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def handle(self, text: str) -> None:
        """One client event. What the service refuses is answered by an `error` event."""
        event_id = None
        try:
            try:
                event = json.loads(text)
            except json.JSONDecodeError as error:
                raise Refusal("invalid_event", "The event could not be parsed as JSON.") from error
            event_id = event.get("event_id") if isinstance(event, dict) else None
            await self._dispatch(event)
        except Refusal as refusal:
            self.errors.append(refusal.code)
            await self.emit(
                "error",
                error={
                    "type": "invalid_request_error",
                    "code": refusal.code,
                    "message": str(refusal),
                    "param": refusal.param,
                    "event_id": event_id,
                },
            )

    async def _dispatch(self, event: Any) -> None:
        kind = event.get("type") if isinstance(event, dict) else None
        match kind:
            case "input_audio_buffer.append":
                await self._append(event)
            case "session.update":
                update = event.get("session")
                self.session = session_settings.updated(self.session, update, self._has_spoken)
                await self.emit("session.updated", session=self.session)
            case "input_audio_buffer.commit":
                await self._commit_by_hand()
            case "input_audio_buffer.clear":
                self._detector.clear()
                await self.emit("input_audio_buffer.cleared")
            case "conversation.item.create":
                item = parse_item(event.get("item"))
                before = self.conversation.add(item, event.get("previous_item_id"))
                await self._announce(item, before)
            case "conversation.item.retrieve":
                await self._retrieve(event)
            case "conversation.item.truncate":
                await self._truncate(event)
            case "conversation.item.delete":
                self.conversation.delete(_required(event, "item_id"))
                await self.emit("conversation.item.deleted", item_id=event["item_id"])
            case "response.create":
                await self._create(event.get("response") or {})
            case "response.cancel":
                self._cancel(event.get("response_id"))
            case _:
                allowed = ", ".join(f"'{name}'" for name in CLIENT_EVENTS)
                raise invalid("type", f"Invalid value: '{kind}'. Supported values are: {allowed}.")

    async def _append(self, event: dict[str, Any]) -> None:
        try:
            sound = base64.b64decode(_required(event, "audio"), validate=True)
        except binascii.Error as error:
            raise invalid("audio", "Invalid base64.") from error
        audio = self.session["audio"]["input"]
        if self._input_codec.kind != audio["format"]["type"]:
            self._input_codec = Codec(audio["format"]["type"])
        heard = self._input_codec.to_mulaw(sound)
        for found in self._detector.append(heard, audio["turn_detection"]):
            if isinstance(found, Started):
                await self._speech_started(found)
            else:
                await self._speech_stopped(found)

    async def _speech_started(self, found: Started) -> None:
        self._pending_item = new_id("item")
        await self.emit(
            "input_audio_buffer.speech_started",
            audio_start_ms=found.at_ms,
            item_id=self._pending_item,
        )
        detection = self.session["audio"]["input"]["turn_detection"] or {}
        if self._active is not None and detection.get("interrupt_response"):
            self._active.cancelled = "turn_detected"

    async def _speech_stopped(self, found: Stopped) -> None:
        item_id = self._pending_item or new_id("item")
        self._pending_item = None
        await self.emit(
            "input_audio_buffer.speech_stopped",
            audio_end_ms=found.at_ms,
            item_id=item_id,
        )
        await self._commit(item_id, found.sound)
        detection = self.session["audio"]["input"]["turn_detection"] or {}
        if detection.get("create_response") and self._active is None:
            await self._create({})

    async def _commit_by_hand(self) -> None:
        have = self._detector.buffered_ms
        if have < MIN_COMMIT_MS:
            raise Refusal(
                "input_audio_buffer_commit_empty",
                "Error committing input audio buffer: buffer too small. Expected at least 100ms of "
                f"audio, but buffer only has {have:.2f}ms of audio.",
            )
        await self._commit(new_id("item"), self._detector.take())

    async def _commit(self, item_id: str, sound: bytes) -> None:
        item = Item(item_id, "message", role="user", is_audio=True, sound=sound)
        before = self.conversation.add(item)
        item.transcript = self._spawn(self._transcribe(item))
        await self.emit("input_audio_buffer.committed", previous_item_id=before, item_id=item_id)
        await self._announce(item, before)

    async def _announce(self, item: Item, before: str | None) -> None:
        wire = item.on_the_wire()
        await self.emit("conversation.item.added", previous_item_id=before, item=wire)
        await self.emit("conversation.item.done", previous_item_id=before, item=wire)

    async def _transcribe(self, item: Item) -> str:
        try:
            text = await self._ears.transcribe(item.sound)
        except SpeechError as error:
            # The reply goes on without the words, as the service's does.
            await self._tell_failed_transcript(item, str(error))
            return ""
        if self.settings.faults.transcription_empty:
            text = ""
        if self.session["audio"]["input"]["transcription"] is not None:
            self._spawn(self._tell_transcript(item, text))
        return text

    async def _tell_transcript(self, item: Item, text: str) -> None:
        faults = self.settings.faults
        await asyncio.sleep(faults.transcription_delay_s)
        ids = {"item_id": item.id, "content_index": 0}
        name = "conversation.item.input_audio_transcription"
        if faults.transcription_fails:
            await self._tell_failed_transcript(item, "The audio could not be understood.")
            return
        if text:
            await self.emit(f"{name}.delta", **ids, delta=text, obfuscation=new_id("o", 8)[2:])
        model = str(self.session["audio"]["input"]["transcription"]["model"])
        seconds = max(1, round(len(item.sound) / BYTES_PER_MS / 1_000))
        usage: dict[str, Any] = {"type": "duration", "seconds": seconds}
        if model.startswith("gpt-4o"):
            taken, given = seconds * 10, tokens(text)
            usage = {
                "type": "tokens",
                "total_tokens": taken + given,
                "input_tokens": taken,
                "input_token_details": {"text_tokens": 0, "audio_tokens": taken},
                "output_tokens": given,
            }
        await self.emit(f"{name}.completed", **ids, transcript=text, usage=usage)

    async def _tell_failed_transcript(self, item: Item, message: str) -> None:
        error = {"type": "transcription_error", "code": "audio_unintelligible", "message": message}
        await self.emit(
            "conversation.item.input_audio_transcription.failed",
            item_id=item.id,
            content_index=0,
            error={**error, "param": None},
        )

    async def _retrieve(self, event: dict[str, Any]) -> None:
        item = self.conversation.find(_required(event, "item_id"))
        if item is None:
            raise Refusal("item_retrieve_invalid_item_id", "The item does not exist.", "item_id")
        wire = item.on_the_wire()
        if item.is_audio and item.role == "user":
            sound = base64.b64encode(self._input_codec.again().from_mulaw(item.sound)).decode()
            wire["content"] = [{"type": "input_audio", "transcript": None, "audio": sound}]
        await self.emit("conversation.item.retrieved", item=wire)

    async def _truncate(self, event: dict[str, Any]) -> None:
        end_ms = event.get("audio_end_ms")
        if not isinstance(end_ms, int) or end_ms < 0:
            raise invalid("audio_end_ms", "Expected a number of milliseconds.")
        index = event.get("content_index", 0)
        self.conversation.truncate(_required(event, "item_id"), index, end_ms)
        await self.emit(
            "conversation.item.truncated",
            item_id=event["item_id"],
            content_index=index,
            audio_end_ms=end_ms,
        )

    async def _create(self, wanted: dict[str, Any]) -> None:
        aside = wanted.get("conversation") == "none"
        if not aside and self._active is not None:
            raise Refusal(
                "conversation_already_has_active_response",
                "Conversation already has an active response in progress: "
                f"{self._active.id}. Wait until the response is finished before creating a new one.",
            )
        modalities = wanted.get("output_modalities") or self.session["output_modalities"]
        output = self.session["audio"]["output"]
        response = Response(
            id=new_id("resp"),
            conversation_id=None if aside else self.conversation_id,
            metadata=wanted.get("metadata"),
            text_only=modalities == ["text"],
            max_output_tokens=wanted.get("max_output_tokens", self.session["max_output_tokens"]),
            audio_output={"format": output["format"], "voice": output["voice"]},
        )
        if not aside:
            self._active = response
        self._responses[response.id] = response
        self._created.set()
        await self.emit("response.created", response=response.on_the_wire())
        self._spawn(self._respond(response, wanted))

    def _cancel(self, response_id: str | None) -> None:
        response = self._responses.get(response_id) if response_id else self._active
        if response is None:
            raise Refusal(
                "response_cancel_not_active",
                "Cancellation failed: no active response found",
            )
        response.cancelled = response.cancelled or "client_cancelled"

    async def _respond(self, response: Response, wanted: dict[str, Any]) -> None:
        try:
            await self._think(response, wanted)
        finally:
            del self._responses[response.id]
            if self._active is response:
                self._active = None
        if self.settings.faults.missing_usage:
            response.usage = None
        if self._takes("late"):
            self._created.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._created.wait(), LATE_DONE_S)
        await self.emit("response.done", response=response.on_the_wire())
        if self._random.random() < 0.8 and not self.settings.faults.missing_rate_limits:
            limit = {
                "name": "tokens",
                "limit": 800_000,
                "remaining": 790_000,
                "reset_seconds": 0.1,
            }
            await self.emit("rate_limits.updated", rate_limits=[limit])

    async def _think(self, response: Response, wanted: dict[str, Any]) -> None:
        settings = self.settings
        spread = self._random.uniform(-settings.jitter_ms, settings.jitter_ms)
        ready_s = asyncio.get_running_loop().time() + (settings.think_ms + spread) / 1_000
        if self._takes("stall"):
            await asyncio.sleep(3_600)
        open_ears = [i.transcript for i in self.conversation.items if i.transcript is not None]
        if open_ears:
            await asyncio.wait(open_ears)
        while not response.cancelled:
            left_s = ready_s - asyncio.get_running_loop().time()
            if left_s <= 0:
                break
            await asyncio.sleep(min(0.02, left_s))
        if self._takes("fail"):
            error = {
                "type": "server_error",
                "code": settings.faults.fail_code,
                "message": "failed",
            }
            response.status, response.details = (
                "failed",
                {"type": "failed", "error": error},
            )
            return
        if not response.cancelled:
            reply = self._mind.reply(self._view(wanted))
            speaking = Speaking(
                self.emit,
                self._voice,
                self.conversation,
                self._pace,
                settings.faults,
                Codec(self.session["audio"]["output"]["format"]["type"]),
                has_phases=session_settings.is_newer(self.session["model"]),
            )
            if self._takes("incomplete"):
                response.incomplete = settings.faults.incomplete_reason
            if self._takes("close"):
                speaking.after_first_sound = partial(self._cut, settings.faults.close_code)
            await speaking.perform(response, reply)
            self._has_spoken = True
        self._finish(response)

    def _takes(self, fault: str) -> bool:
        """Whether a counted fault strikes now; it is used up thereby."""
        strikes = self._left[fault] > 0
        self._left[fault] -= strikes
        return strikes

    def _finish(self, response: Response) -> None:
        fixed = self.session["instructions"] + json.dumps(self.session["tools"])
        response.usage = self._meter.usage(fixed, self.conversation.items, response.output)
        if response.cancelled:
            response.status = "cancelled"
            response.details = {"type": "cancelled", "reason": response.cancelled}
        elif response.incomplete:
            response.status = "incomplete"
            response.details = {"type": "incomplete", "reason": response.incomplete}
        else:
            response.status = "completed"

    @property
    def _pace(self) -> float:
        listening = self.session["audio"]["input"]["turn_detection"] is not None
        return self.settings.pace if listening else self.settings.reading_pace

    def _view(self, wanted: dict[str, Any]) -> MindView:
        offers = [
            ToolOffer(tool["name"], tool.get("description", ""), tool.get("parameters", {}))
            for tool in wanted.get("tools", self.session["tools"])
        ]
        entries = self.conversation.seen()
        if "input" in wanted:
            items = [self._input_item(item) for item in wanted["input"]]
            entries = [said for item in items if (said := item.seen()) is not None]
        return MindView(
            instructions=self.session["instructions"],
            tools=offers,
            conversation=entries,
            guidance=wanted.get("instructions"),
            wants_text=wanted.get("output_modalities") == ["text"],
        )

    def _input_item(self, body: dict[str, Any]) -> Item:
        if body.get("type") == "item_reference":
            item = self.conversation.find(str(body.get("id")))
            if item is None:
                raise invalid("response.input", "The referenced item does not exist.")
            return item
        return parse_item(body)

    def _spawn(self, work: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _required(event: dict[str, Any], name: str) -> str:
    value = event.get(name)
    if not isinstance(value, str):
        raise missing(name)
    return value
