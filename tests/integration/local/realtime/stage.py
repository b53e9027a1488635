"""The emulated service with ears and a voice of known sound, and the unmodified SDK in front of it."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from openai import AsyncOpenAI
from openai.resources.realtime.realtime import AsyncRealtimeConnection

from local.realtime.mind.port import Call, MindReply, MindView, Role, Said, Say
from local.realtime.server import RealtimeEmulator
from local.realtime.settings import EmulatorSettings
from local.speech.ports import Speaker, Utterance, Voice, WordTiming

MODEL = "gpt-realtime-2.1"
SPEECH, QUIET = b"\x20" * 160, b"\xff" * 160


class Tone:
    """A voice of 100 ms a word."""

    async def speak(self, text: str, speaker: Speaker) -> Utterance:
        words = text.split()
        timings = tuple(WordTiming(word, 100 * (i + 1)) for i, word in enumerate(words))
        return Utterance(text, b"\x30" * (800 * len(words)), timings)


class Loudness:
    def is_speech(self, frame: bytes) -> bool:
        return frame[0] == SPEECH[0]


class FixedEars:
    kind = "test"

    def activity(self) -> Loudness:
        return Loudness()

    async def transcribe(self, sound: bytes) -> str:
        return f"palabras de {len(sound) // 8} ms"


class Parrot:
    """Says what it heard, or calls the first tool when a tool is asked for."""

    def reply(self, view: MindView) -> MindReply:
        if view.wants_text:
            return MindReply((Say("aparte"),))
        last = view.conversation[-1] if view.conversation else None
        if isinstance(last, Said) and last.role is Role.USER and view.tools:
            return MindReply((Say("Un momento."), Call(view.tools[0].name, {"a": 1})))
        return MindReply(
            (Say("uno dos tres cuatro cinco seis siete ocho nueve diez. once doce trece."),)
        )

    def answer(self, instructions: str, user_text: str, schema: Any) -> dict[str, object]:
        return {"word": user_text}


@asynccontextmanager
async def emulated(
    mind: Parrot | None = None, voice: Voice | None = None, **settings: Any
) -> AsyncIterator[RealtimeEmulator]:
    """A service of its own, quick by default."""
    parrot = mind or Parrot()
    quick: dict[str, Any] = {"think_ms": 5, "jitter_ms": 1, "pace": 20, "cancel_ms": (1, 5)}
    service = RealtimeEmulator(
        EmulatorSettings(**{**quick, **settings}), FixedEars(), voice or Tone(), parrot, parrot
    )
    await service.start()
    try:
        yield service
    finally:
        await service.stop()


def client(emulator: RealtimeEmulator, key: str | None = None) -> AsyncOpenAI:
    return AsyncOpenAI(
        api_key=key or emulator.api_key,
        base_url=emulator.base_url,
        websocket_base_url=emulator.websocket_base_url,
        max_retries=0,
    )


async def until(connection: AsyncRealtimeConnection, kind: str) -> Any:
    """The next event of a kind; earlier ones are dropped."""
    while True:
        event = await connection.recv()
        if event.type == kind:
            return event


async def configured(connection: AsyncRealtimeConnection, **changes: Any) -> None:
    detection = {
        "type": "server_vad",
        "silence_duration_ms": 200,
        "create_response": False,
        "interrupt_response": False,
    }
    session: dict[str, Any] = {
        "type": "realtime",
        "audio": {
            "input": {
                "format": {"type": "audio/pcmu"},
                "transcription": {"model": "gpt-realtime-whisper", "language": "es"},
                "turn_detection": detection,
            },
            "output": {"format": {"type": "audio/pcmu"}},
        },
        **changes,
    }
    await connection.session.update(session=session)  # type: ignore[arg-type]
    await until(connection, "session.updated")


async def say(connection: AsyncRealtimeConnection, ms: int, quiet_ms: int = 300) -> None:
    for frame in [SPEECH] * (ms // 20) + [QUIET] * (quiet_ms // 20):
        await connection.input_audio_buffer.append(audio=base64.b64encode(frame).decode())


async def refused(connection: AsyncRealtimeConnection, event: object) -> Any:
    """The `error` that answers a frame: an event's body, or text as it is."""
    await connection.send_raw(event if isinstance(event, str) else json.dumps(event))
    return (await until(connection, "error")).error
