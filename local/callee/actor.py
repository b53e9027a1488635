"""Plays a persona at the far end of an emulated phone line.

A pure state machine over frames of 20 ms: no clock, no task, nothing awaited once the phone rings.
Everybody finishes the line once begun, also when the agent talks over it. When all lines are
played the person waits for the agent to say goodbye and hang up, and hangs up in the end.

    RINGING ─answered─▶ WAITING ◀──▶ SPEAKING
                          │  all lines played, or patience lost
                          ▼
                       HUNG_UP ─▶ OVER
"""

from __future__ import annotations

from enum import StrEnum

from local.callee.account import Account, OwnSpeech
from local.callee.cues import Moment, is_due, quiet_ms
from local.callee.lines import Line, Script, prepare_script
from local.callee.listening import AgentListening
from local.callee.manners import Manners, manners_of, pickup_of
from local.callee.persona import Persona
from local.callee.recollection import Recollection
from local.carrier.far_end import FRAME_BYTES, FRAME_MS, SILENCE_FRAME, FarFrame, PickupPlan
from local.speech.noise import NoiseBed, NoiseKind
from local.speech.ports import Voice
from local.speech.sound import mixed
from local.speech.word_board import WordBoard


class NotPrepared(RuntimeError):
    """The phone rang before `prepare` had made the person's lines."""


class State(StrEnum):
    RINGING = "ringing"
    WAITING = "waiting"
    SPEAKING = "speaking"
    HUNG_UP = "hung_up"
    OVER = "over"


class PersonaActor:
    """One persona in one call; a `FarEnd`.

    With a `board` the words go there for text ears, and the person's speech carries no noise, so
    that it can be found again by its sound.
    """

    def __init__(
        self, persona: Persona, *, board: WordBoard | None = None, manners: Manners | None = None
    ) -> None:
        self._persona = persona
        self._board = board
        self._manners = manners or manners_of(persona)
        self._state = State.RINGING
        self._script: Script | None = None
        self._noise: NoiseBed | None = None
        self._noise_kind = persona.channel.noise
        self._agent = AgentListening()
        self._recollection = Recollection()
        self._next_line = 0
        self._playing: Line | None = None
        self._played_bytes = 0
        self._last_words_ms = 0
        self._own_end_ms = 0
        self._answer_owed = True
        self._asked_who_is_there = False

    @property
    def persona(self) -> Persona:
        return self._persona

    @property
    def state(self) -> State:
        return self._state

    async def prepare(self, voice: Voice) -> None:
        """Make every sound this person may play. Call it before the number is dialled.

        Raises `SpeechError` if the voice cannot speak.
        """
        self._take(await prepare_script(self._persona, voice))

    def again(self) -> PersonaActor:
        """The same person, prepared, for another call."""
        actor = PersonaActor(self._persona, board=self._board, manners=self._manners)
        actor._take(self._prepared())
        return actor

    def _take(self, script: Script) -> None:
        self._script = script
        if self._noise_kind is not NoiseKind.NONE:
            self._noise = NoiseBed(
                self._noise_kind,
                speech_rms=script.speech_rms,
                snr_db=self._persona.channel.snr_db,
            )
        for line in (*script.lines, script.who_is_there):
            self._post(line)

    def pickup_plan(self) -> PickupPlan:
        self._prepared()
        return pickup_of(self._persona, self._manners)

    def answered(self, at_ms: int) -> None:
        self._prepared()
        self._recollection.answered = True
        self._state = State.WAITING

    def exchange(self, heard: bytes, at_ms: int) -> FarFrame:
        if self._state in (State.HUNG_UP, State.OVER):
            return FarFrame(hang_up=True)
        frame = self._act(at_ms)
        self._agent.listen(heard, at_ms)
        self._recollection.hear(heard)
        return frame

    def ended(self, at_ms: int, by_far_end: bool) -> None:
        self._state = State.OVER
        self._recollection.ended_ms = at_ms

    def account(self) -> Account:
        """What the person knows of the call by now."""
        script = self._prepared()
        return self._recollection.account(
            self._persona.id,
            self._agent.stretches,
            script_played=self._next_line == len(script.lines) and self._playing is None,
        )

    def _prepared(self) -> Script:
        if self._script is None:
            raise NotPrepared(f"await prepare(voice) before {self._persona.id} is called")
        return self._script

    def _act(self, now_ms: int) -> FarFrame:
        if self._state is State.WAITING:
            self._decide(now_ms)
        if self._state is State.HUNG_UP:
            return FarFrame(hang_up=True)
        if self._playing is None:
            return FarFrame(self._over_noise(SILENCE_FRAME, None))
        line = self._playing
        frame = line.sound[self._played_bytes : self._played_bytes + FRAME_BYTES]
        self._played_bytes += FRAME_BYTES
        if self._played_bytes >= len(line.sound):
            self._finish(line, now_ms + FRAME_MS)
        return FarFrame(self._over_noise(frame or SILENCE_FRAME, line))

    def _decide(self, now_ms: int) -> None:
        script = self._prepared()
        moment = self._moment(now_ms)
        if self._next_line == len(script.lines):
            if self._has_waited_for_goodbye(moment):
                self._hang_up(now_ms)
        elif is_due(script.lines[self._next_line], moment, self._agent, self._manners):
            self._begin(script.lines[self._next_line], now_ms)
            self._next_line += 1
        elif self._has_lost_patience(moment):
            if self._asked_who_is_there:
                self._hang_up(now_ms)
            else:
                self._asked_who_is_there = True
                self._begin(script.who_is_there, now_ms)

    def _moment(self, now_ms: int) -> Moment:
        return Moment(
            now_ms=now_ms,
            last_words_ms=self._last_words_ms,
            own_end_ms=self._own_end_ms,
            answer_owed=self._answer_owed,
            hears=not self._persona.channel.one_way,
        )

    def _has_waited_for_goodbye(self, moment: Moment) -> bool:
        if not moment.hears:
            return moment.now_ms - moment.own_end_ms >= self._manners.goodbye_wait_ms
        return (
            quiet_ms(moment, self._agent) >= self._manners.goodbye_wait_ms
            or moment.now_ms - moment.own_end_ms >= self._manners.call_after_last_line_ms_max
        )

    def _has_lost_patience(self, moment: Moment) -> bool:
        if self._manners.asks_who_is_there_ms is None:
            return False
        limit_ms = (
            self._manners.gives_up_ms
            if self._asked_who_is_there
            else self._manners.asks_who_is_there_ms
        )
        return quiet_ms(moment, self._agent) >= limit_ms

    def _begin(self, line: Line, now_ms: int) -> None:
        self._post(line)
        self._state = State.SPEAKING
        self._playing = line
        self._played_bytes = 0
        if line.text:
            self._recollection.begin(
                OwnSpeech(
                    utterance=line.utterance,
                    text=line.text,
                    start_ms=now_ms,
                    end_ms=now_ms + len(line.sound) // FRAME_BYTES * FRAME_MS,
                    to_room=line.to_room,
                    cut_in=line.speech is not None and self._agent.speaks(now_ms),
                    is_speech=line.speech is not None,
                )
            )

    def _finish(self, line: Line, end_ms: int) -> None:
        self._state = State.WAITING
        self._playing = None
        self._own_end_ms = end_ms
        if line.stops_dryer and self._noise_kind is NoiseKind.HAIR_DRYER:
            self._noise = None
        if line.speech is not None:
            self._last_words_ms = end_ms
            self._answer_owed = not line.to_room

    def _hang_up(self, now_ms: int) -> None:
        self._state = State.HUNG_UP
        self._recollection.hung_up_ms = now_ms

    def _post(self, line: Line) -> None:
        if self._board is not None and line.speech is not None:
            self._board.post(line.speech)

    def _over_noise(self, frame: bytes, line: Line | None) -> bytes:
        if self._noise is None:
            return frame
        bed = self._noise.next_frame()
        if self._board is not None and line is not None and line.speech is not None:
            return frame
        return mixed(frame, bed)
