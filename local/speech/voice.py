"""The twin's voice: SVOX Pico, in a process of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from local.speech.ports import Speaker, Utterance
from local.speech.utterance_cache import (
    UtteranceCache,
    VoiceSettings,
    words_from_header,
)
from local.speech.worker import SpeechWorker

_RECIPE = 2
"""Raise it when the shaping of the sound changes: cached utterances are then made anew."""

_VOLUME = 0.4
"""The engine clips at its default volume (1,438 samples of one sentence; measured), not at this."""

# At 1.35 Sofia speaks about 15 characters a second, as people on the phone do.
VOICES: Mapping[Speaker, VoiceSettings] = {
    Speaker.AGENT: VoiceSettings("pico-es-ES", _RECIPE, speed=1.35, pitch=1.0, volume=_VOLUME),
    Speaker.CALLEE: VoiceSettings("pico-es-ES", _RECIPE, speed=1.0, pitch=0.75, volume=_VOLUME),
}


class PicoVoice:
    """Speaks Spanish in two voices: 7 s of speech in about 40 ms of one core (measured).

    The engine itself differs by a few samples from one run to the next; that the same text gives
    the same bytes is the cache's doing. `cache_folder` keeps utterances between runs; without it
    only this process remembers them.
    """

    def __init__(self, cache_folder: Path | None = None, *, queue_limit: int = 1_024) -> None:
        self._cache = UtteranceCache(cache_folder)
        self._worker = SpeechWorker("local.speech.voice_worker", queue_limit=queue_limit)

    async def speak(self, text: str, speaker: Speaker) -> Utterance:
        """`text` as sound. Text without a word in it gives an utterance without sound.

        Raises `SpeechError` when the worker cannot be asked.
        """
        settings = VOICES[speaker]
        known = self._cache.recall(text, settings)
        if known is None:
            known = await asyncio.to_thread(self._cache.load, text, settings)
        if known is not None:
            return known
        reply = await self._worker.ask(
            {
                "text": text,
                "speed": settings.speed,
                "pitch": settings.pitch,
                "volume": settings.volume,
            }
        )
        utterance = Utterance(text, reply.body, words_from_header(reply))
        await asyncio.to_thread(self._cache.store, text, settings, utterance)
        return utterance

    async def close(self) -> None:
        """End the worker process."""
        await self._worker.close()
