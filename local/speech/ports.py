"""What the twin's actors need of speech. All sound is 8 kHz mono mu-law; 8 bytes are one millisecond."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

BYTES_PER_MS = 8
FRAME_BYTES = 160


class Speaker(StrEnum):
    """Whose voice; the two are clearly different in a recording."""

    AGENT = "agent"
    CALLEE = "callee"


@dataclass(frozen=True, slots=True)
class WordTiming:
    """One word of an utterance and where it ends in the sound."""

    word: str
    end_ms: int


@dataclass(frozen=True, slots=True)
class Utterance:
    """Spoken text: `sound` is mu-law, padded with silence to a multiple of 160 bytes."""

    text: str
    sound: bytes
    words: tuple[WordTiming, ...]

    @property
    def duration_ms(self) -> int:
        return len(self.sound) // BYTES_PER_MS


class Voice(Protocol):
    """Turns text into sound. Never blocks the event loop; the same text gives the same bytes."""

    async def speak(self, text: str, speaker: Speaker) -> Utterance: ...


class VoiceActivity(Protocol):
    """Tells speech from silence and noise, frame by frame; one instance for each direction of a call."""

    def is_speech(self, frame: bytes) -> bool:
        """`frame` is 160 bytes of mu-law; keeps state between frames."""
        ...


class Ears(Protocol):
    """Hears words in sound. Voice ears recognise; text ears look the words up on the word board."""

    @property
    def kind(self) -> str:
        """`voice` or `text`; every report says which."""
        ...

    def activity(self) -> VoiceActivity:
        """A fresh detector."""
        ...

    async def transcribe(self, sound: bytes) -> str:
        """The words in `sound` (mu-law), empty if there are none. Bounded: waits its turn, never blocks the loop."""
        ...
