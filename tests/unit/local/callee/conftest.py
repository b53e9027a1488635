"""Personas, a voice without a synthesiser, and a phone line on a virtual clock."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from local.callee.account import Account
from local.callee.actor import PersonaActor
from local.callee.persona import Persona, load_personas
from local.carrier.far_end import FRAME_BYTES, FRAME_MS, SILENCE_FRAME, FarFrame
from local.speech.ports import Speaker, Utterance, WordTiming
from local.speech.sound import pad_to_frames, rms, tone

WORD_MS = 200


class ToneVoice:
    """Every word is 200 ms of a tone that belongs to the text."""

    async def speak(self, text: str, speaker: Speaker) -> Utterance:
        words = text.split()
        pitch_hz = 300.0 + zlib.crc32(text.encode()) % 400
        sound = pad_to_frames(tone((pitch_hz,), len(words) * WORD_MS))
        ends = (WordTiming(word, (n + 1) * WORD_MS) for n, word in enumerate(words))
        return Utterance(text, sound, tuple(ends))


@dataclass(frozen=True)
class PlannedTurn:
    """The agent speaks from `start_ms` for `duration_ms`."""

    start_ms: int
    duration_ms: int


class Line:
    """Plays an agent to an actor, frame by frame, until the actor hangs up or `until_ms`."""

    def __init__(self, actor: PersonaActor) -> None:
        self.actor = actor
        self.sent: list[FarFrame] = []

    def run(self, *turns: PlannedTurn, until_ms: int) -> Account:
        sounding = tone((300.0,), FRAME_MS)
        self.actor.answered(0)
        at_ms = 0
        for at_ms in range(0, until_ms, FRAME_MS):
            speaks = any(
                each.start_ms <= at_ms < each.start_ms + each.duration_ms for each in turns
            )
            self.sent.append(self.actor.exchange(sounding if speaks else SILENCE_FRAME, at_ms))
            assert len(self.sent[-1].sound) == FRAME_BYTES
            if self.sent[-1].hang_up:
                break
        self.actor.ended(at_ms, by_far_end=self.sent[-1].hang_up)
        return self.actor.account()

    def sounding_ms(self) -> list[int]:
        """When the actor's sound began, after silence."""
        loud = [rms(frame.sound) > 500 for frame in self.sent]
        return [
            index * FRAME_MS
            for index, is_loud in enumerate(loud)
            if is_loud and (index == 0 or not loud[index - 1])
        ]


PersonaMaker = Callable[..., Persona]
LineMaker = Callable[..., Any]


@pytest.fixture
def persona() -> PersonaMaker:
    """The first persona of the file with other turns, and whatever else is given."""

    def make(*turns: dict[str, Any], **changes: Any) -> Persona:
        written = load_personas().personas[0].model_dump(mode="json")
        written["expect"] = {}
        return Persona.model_validate({**written, "turns": list(turns), **changes})

    return make


@pytest.fixture
def line(persona: PersonaMaker) -> LineMaker:
    """A line to a prepared actor with these turns."""

    async def make(*turns: dict[str, Any], **changes: Any) -> Line:
        actor = PersonaActor(persona(*turns, **changes))
        await actor.prepare(ToneVoice())
        return Line(actor)

    return make


@pytest.fixture
def agent() -> Callable[[int, int], PlannedTurn]:
    return PlannedTurn


@pytest.fixture
def tone_voice() -> ToneVoice:
    return ToneVoice()
