"""Collects what happens to a callee during a call and turns it into an account."""

from __future__ import annotations

from collections.abc import Sequence

from local.callee.account import Account, AgentCutIn, BargeIn, Gap, HeardSpeech, OwnSpeech
from local.callee.listening import Stretch
from local.speech.ports import BYTES_PER_MS

_TURN_PAUSE_MS = 700
_STOPPED_AFTER_MS = 500
"""Longer than any pause inside the agent's speech (300 ms, by the way it is synthesised)."""


class Recollection:
    """Grows with the call; `account` may be asked at any time."""

    def __init__(self) -> None:
        self.answered = False
        self.hung_up_ms: int | None = None
        self.ended_ms: int | None = None
        self._heard = bytearray()
        self._own: list[OwnSpeech] = []

    def hear(self, frame: bytes) -> None:
        self._heard += frame

    def begin(self, speech: OwnSpeech) -> None:
        self._own.append(speech)

    def account(
        self, persona_id: str, stretches: Sequence[Stretch], *, script_played: bool
    ) -> Account:
        spoken = [each for each in self._own if each.is_speech]
        first_ms = stretches[0].start_ms if stretches else None
        opening_ms = first_ms - spoken[0].end_ms if spoken and first_ms is not None else None
        return Account(
            persona_id=persona_id,
            answered=self.answered,
            agent_speech=self._turns_heard(stretches, spoken),
            own_speech=tuple(self._own),
            barge_ins=tuple(
                BargeIn(each.utterance, each.start_ms, self._stopped_ms(each.start_ms, stretches))
                for each in spoken
                if each.cut_in
            ),
            agent_cut_ins=_agent_cut_ins(stretches, spoken),
            gaps=_gaps(stretches, spoken),
            answer_to_first_sound_ms=first_ms,
            first_words_to_opening_ms=(
                opening_ms if opening_ms is not None and opening_ms >= 0 else None
            ),
            script_played=script_played,
            hung_up_ms=self.hung_up_ms,
            ended_ms=self.ended_ms,
            heard=bytes(self._heard),
        )

    def _turns_heard(
        self, stretches: Sequence[Stretch], spoken: Sequence[OwnSpeech]
    ) -> tuple[HeardSpeech, ...]:
        """Stretches joined over short pauses, unless the callee began to speak in between."""
        joined: list[Stretch] = []
        for stretch in stretches:
            last = joined[-1] if joined else None
            if last is not None and not _parted(last, stretch, spoken):
                joined[-1] = Stretch(last.start_ms, stretch.end_ms)
            else:
                joined.append(stretch)
        return tuple(
            HeardSpeech(each.start_ms, each.end_ms, (each.end_ms - each.start_ms) * BYTES_PER_MS)
            for each in joined
        )

    def _stopped_ms(self, start_ms: int, stretches: Sequence[Stretch]) -> int | None:
        """From `start_ms` until the agent was silent for good: a pause between words is not it."""
        now_ms = len(self._heard) // BYTES_PER_MS
        end_ms: int | None = None
        for stretch in stretches:
            if stretch.end_ms <= start_ms:
                continue
            if stretch.start_ms - (start_ms if end_ms is None else end_ms) >= _STOPPED_AFTER_MS:
                break
            end_ms = stretch.end_ms
        if end_ms is None:
            return 0
        # With the call all sound is over, however soon after.
        stopped = self.ended_ms is not None or now_ms - end_ms >= _STOPPED_AFTER_MS
        return end_ms - start_ms if stopped else None


def _parted(last: Stretch, following: Stretch, spoken: Sequence[OwnSpeech]) -> bool:
    if following.start_ms - last.end_ms >= _TURN_PAUSE_MS:
        return True
    return any(last.start_ms < each.start_ms <= following.start_ms for each in spoken)


def _agent_cut_ins(
    stretches: Sequence[Stretch], spoken: Sequence[OwnSpeech]
) -> tuple[AgentCutIn, ...]:
    """The first new sound of the agent within each utterance, unless the agent spoke already."""
    found = []
    for each in spoken:
        begun = [s.start_ms for s in stretches if each.start_ms < s.start_ms < each.end_ms]
        if begun and not each.cut_in:
            found.append(AgentCutIn(each.utterance, begun[0]))
    return tuple(found)


def _gaps(stretches: Sequence[Stretch], spoken: Sequence[OwnSpeech]) -> tuple[Gap, ...]:
    """For each utterance after which the agent was the next to speak."""
    found = []
    for index, each in enumerate(spoken):
        until_ms = spoken[index + 1].start_ms if index + 1 < len(spoken) else None
        answer = next((s.start_ms for s in stretches if s.start_ms >= each.end_ms), None)
        if answer is not None and (until_ms is None or answer < until_ms) and not each.to_room:
            found.append(Gap(each.utterance, answer - each.end_ms))
    return tuple(found)
