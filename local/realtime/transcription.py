"""What the callee said: heard once for the mind, and told to the client if the session wants it."""

from __future__ import annotations

import asyncio
from typing import Any

from local.realtime.conversation import Item, obfuscation
from local.realtime.meter import tokens
from local.realtime.state import SessionState
from local.speech.errors import SpeechError
from local.speech.ports import BYTES_PER_MS, Ears

_EVENT = "conversation.item.input_audio_transcription"


class Transcriber:
    """One session's ears."""

    def __init__(self, state: SessionState, ears: Ears) -> None:
        self._state = state
        self._ears = ears

    def hear(self, item: Item, *, tell: bool) -> None:
        """Begin to listen to the item's sound; `item.transcript` is the result to come."""
        item.transcript = self._state.background.spawn(self._transcribe(item, tell))

    async def _transcribe(self, item: Item, tell: bool) -> str:
        wanted = self._state.session["audio"]["input"]["transcription"]
        try:
            text = await self._ears.transcribe(item.sound)
        except SpeechError as error:
            # The reply goes on without the words, as the service's does.
            if tell and wanted is not None:
                await self._tell_failure(item, str(error))
            return ""
        if self._state.settings.faults.transcription_empty:
            text = ""
        if tell and wanted is not None:
            self._state.background.spawn(self._tell(item, text, str(wanted["model"])))
        return text

    async def _tell(self, item: Item, text: str, model: str) -> None:
        faults = self._state.settings.faults
        await asyncio.sleep(faults.transcription_delay_s)
        if faults.transcription_fails:
            await self._tell_failure(item, "The audio could not be understood.")
            return
        ids = {"item_id": item.id, "content_index": 0}
        emit = self._state.emit
        if text:
            await emit(f"{_EVENT}.delta", **ids, delta=text, obfuscation=obfuscation())
        usage = _usage(model, len(item.sound) // BYTES_PER_MS, text)
        await emit(f"{_EVENT}.completed", **ids, transcript=text, usage=usage)

    async def _tell_failure(self, item: Item, message: str) -> None:
        error = {"type": "transcription_error", "code": "audio_unintelligible", "message": message}
        await self._state.emit(
            f"{_EVENT}.failed",
            item_id=item.id,
            content_index=0,
            error={**error, "param": None},
        )


def _usage(model: str, sound_ms: int, text: str) -> dict[str, Any]:
    """By whole seconds, or by tokens for the models that are billed so."""
    seconds = max(1, round(sound_ms / 1_000))
    if not model.startswith("gpt-4o"):
        return {"type": "duration", "seconds": seconds}
    taken, given = seconds * 10, tokens(text)
    return {
        "type": "tokens",
        "total_tokens": taken + given,
        "input_tokens": taken,
        "input_token_details": {"text_tokens": 0, "audio_tokens": taken},
        "output_tokens": given,
    }
