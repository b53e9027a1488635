"""Speaks a tenant's opening once: the model reads the fixed text, the transcript must be that text, and the finished
clip is kept with the place of each clause and duty.

Where a clause ends is estimated by its share of the letters and then moved to the pause that is meant, so that a clip
that goes on after a cut begins with its clause.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from shared.agents.folding import words
from shared.agents.opening import clauses
from shared.domain.agent import Agent
from shared.domain.errors import Unavailable
from shared.domain.opening_clip import BYTES_PER_MS, FRAME_MS, Clause, OpeningClip
from shared.domain.pauses import Pause, boundaries, pauses, voiced_ms

if TYPE_CHECKING:
    from openai import OpenAI

READ_ALOUD = "Lee en voz alta, palabra por palabra y sin añadir nada, el texto del usuario."
TRIES = 3


class OpeningNotSpoken(Unavailable):
    """The model did not read the opening as it stands."""


class OpeningStudio:
    """Blocking; takes a few seconds for an opening of fifteen."""

    def __init__(self, client: OpenAI) -> None:
        self._client = client

    def speak(self, agent: Agent) -> OpeningClip:
        """Raises OpeningNotSpoken after `TRIES` readings that differ from the text."""
        text = agent.opening.text
        for _ in range(TRIES):
            sound, transcript = self._read(agent)
            if words(transcript) == words(text):
                return clip_of(agent, sound)
        raise OpeningNotSpoken(
            "the spoken opening differs from its text: simplify names or wording"
        )

    def _read(self, agent: Agent) -> tuple[bytes, str]:
        sound, transcript = bytearray(), ""
        with self._client.realtime.connect(model=agent.model) as connection:
            connection.session.update(
                session={
                    "type": "realtime",
                    "output_modalities": ["audio"],
                    "instructions": READ_ALOUD,
                    "audio": {
                        "input": {
                            "format": {"type": "audio/pcmu"},
                            "turn_detection": None,
                        },
                        "output": {
                            "format": {"type": "audio/pcmu"},
                            "voice": agent.voice,
                        },
                    },
                }
            )
            connection.conversation.item.create(
                item={
                    "type": "message",
                    "role": "user",
                    "content": [{"type": "input_text", "text": agent.opening.text}],
                }
            )
            connection.response.create()
            for event in connection:
                if event.type == "response.output_audio.delta":
                    sound += base64.b64decode(event.delta)
                elif event.type == "response.output_audio_transcript.done":
                    transcript = event.transcript
                elif event.type == "error":
                    raise OpeningNotSpoken(f"the model refused: {event.error.code}")
                elif event.type == "response.done":
                    break
        return bytes(sound), transcript


def clip_of(agent: Agent, sound: bytes) -> OpeningClip:
    """Clauses and duties of a spoken opening."""
    text = agent.opening.text
    pieces, found = clauses(agent.opening), pauses(sound)
    ends_ms = _ends_ms(sound, pieces, found)
    spoken: list[Clause] = []
    start_ms, position = 0, 0
    for piece, end_ms in zip(pieces, ends_ms, strict=True):
        begin = text.index(piece, position)
        position = begin + len(piece)
        duties = tuple(
            phrase.duty
            for phrase in agent.opening.duties
            if begin < text.index(phrase.words) + len(phrase.words) <= position
        )
        voice = voiced_ms(found, start_ms, end_ms)
        spoken.append(Clause(piece, start_ms, end_ms, *voice, duties))
        start_ms = end_ms
    return OpeningClip(text, sound, tuple(spoken))


def _ends_ms(sound: bytes, pieces: Sequence[str], found: Sequence[Pause]) -> list[int]:
    """Where each clause ends: by its share of the letters, moved to the pause that is meant, on a frame."""
    total_ms = len(sound) // BYTES_PER_MS
    letters = list(accumulate(len(piece) for piece in pieces))
    estimates_ms = [total_ms * seen // letters[-1] for seen in letters[:-1]]
    placed_ms = boundaries(found, estimates_ms)
    return [*(ms // FRAME_MS * FRAME_MS for ms in placed_ms), total_ms]
