"""A persona's turns made ready to play: every sound is made before the phone is picked up."""

from __future__ import annotations

from dataclasses import dataclass, replace

from local.callee.folding import fold
from local.callee.persona import Addressee, AnsweredBy, Persona, SoundKind, Turn, When
from local.speech.noise import NoiseBed, NoiseKind
from local.speech.ports import FRAME_BYTES, Speaker, Utterance, Voice
from local.speech.sound import (
    beep,
    hold_music,
    pad_to_frames,
    ringing,
    scaled,
    silence,
    speech_rms,
    to_mulaw,
)

WHO_IS_THERE = "¿Oiga?"
_ROOM_GAIN = 0.35
"""Words to the room reach the phone about 9 dB fainter."""
_TYPICAL_SPEECH_RMS = 3_500
"""Of the callee's voice, for personas that say nothing (measured)."""
_DRYER_SNR_DB = 0.0
"""A dryer held beside the phone is as loud as the voice."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing to play. `speech` is set for words, so that text ears can be told about them."""

    sound: bytes
    when: When
    at_ms: int = 0
    utterance: int | None = None
    text: str = ""
    to_room: bool = False
    speech: Utterance | None = None

    @property
    def stops_dryer(self) -> bool:
        """Somebody in the room is asked to switch the hair dryer off; they do."""
        return self.to_room and "secador" in fold(self.text)


@dataclass(frozen=True, slots=True)
class Script:
    """All a persona may play. `who_is_there` is not part of the persona's turns."""

    lines: tuple[Line, ...]
    who_is_there: Line
    speech_rms: float


async def prepare_script(persona: Persona, voice: Voice) -> Script:
    """Synthesise every line. Raises `SpeechError` if the voice cannot."""
    spoken: dict[int, Utterance] = {}
    for index, turn in enumerate(persona.turns):
        if turn.say is not None:
            spoken[index] = _placed(turn, await voice.speak(turn.say, Speaker.CALLEE))
    loudness = speech_rms(b"".join(each.sound for each in spoken.values())) or _TYPICAL_SPEECH_RMS
    numbers = {index: number for number, index in enumerate(spoken, start=1)}
    lines = tuple(
        _line(persona, turn, spoken.get(index), numbers.get(index), loudness)
        for index, turn in enumerate(persona.turns)
    )
    question = await voice.speak(WHO_IS_THERE, Speaker.CALLEE)
    who_is_there = Line(question.sound, When.AFTER_AGENT, text=WHO_IS_THERE, speech=question)
    return Script(lines, who_is_there, loudness)


def _placed(turn: Turn, utterance: Utterance) -> Utterance:
    """Fainter if it is for the room."""
    if turn.to is Addressee.AGENT:
        return utterance
    return replace(utterance, sound=scaled(utterance.sound, _ROOM_GAIN))


def _line(
    persona: Persona,
    turn: Turn,
    utterance: Utterance | None,
    number: int | None,
    loudness: float,
) -> Line:
    when = turn.when or _default_cue(persona, turn)
    if utterance is not None:
        return Line(
            utterance.sound,
            when,
            turn.at_ms or 0,
            number,
            utterance.text,
            turn.to is Addressee.ROOM,
            utterance,
        )
    if turn.silence is not None:
        return Line(pad_to_frames(silence(turn.silence)), when)
    assert turn.sound is not None and turn.ms is not None
    sound = _sound(turn.sound, turn.ms, loudness)
    return Line(pad_to_frames(sound), when, turn.at_ms or 0, text=f"[{turn.sound}]")


def _default_cue(persona: Persona, turn: Turn) -> When:
    """A mailbox waits for nobody; everyone else waits for the agent."""
    if persona.answered_by is AnsweredBy.NETWORK_VOICEMAIL:
        return When.NO_WAIT
    if persona.answered_by is not AnsweredBy.HUMAN and turn.say is None:
        return When.NO_WAIT
    return When.AFTER_AGENT


def _sound(kind: SoundKind, duration_ms: int, loudness: float) -> bytes:
    if kind is SoundKind.BEEP:
        return beep(duration_ms)
    if kind is SoundKind.HOLD_MUSIC:
        return hold_music(duration_ms)
    if kind is SoundKind.RINGING:
        return ringing(duration_ms)
    bed = NoiseBed(NoiseKind.HAIR_DRYER, speech_rms=loudness, snr_db=_DRYER_SNR_DB, seed=2)
    frame_count = len(pad_to_frames(silence(duration_ms))) // FRAME_BYTES
    return b"".join(to_mulaw(bed.next_frame()) for _ in range(frame_count))
