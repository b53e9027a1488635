"""The book of turns: who spoke when, what was said, what was heard of it, and where the silence before it went."""

from __future__ import annotations

from dataclasses import dataclass, field

from media_service.engine.actions import Action, Record
from shared.domain.conversation import Turn, Waterfall, Who
from shared.domain.words_heard import words_until


@dataclass(slots=True)
class CalleeTurn:
    n: int
    item_id: str
    started_ms: int
    ended_ms: int | None = None
    stop_seen_ms: int | None = None
    judged_ms: int | None = None
    text: str | None = None

    def as_turn(self) -> Turn:
        end = self.ended_ms if self.ended_ms is not None else self.started_ms
        return Turn(self.n, Who.CALLEE, self.text, self.text, self.started_ms, end)


@dataclass(slots=True)
class AgentTurn:
    """`items` keeps, in order, the words of each item, its whole sound and how much of it was heard (ms).

    The number is taken with the first sound that is sent, so that a turn that nobody heard has none.
    """

    n: int = 0
    callee_stopped_ms: int | None = None
    stop_seen_ms: int | None = None
    decided_ms: int | None = None
    first_model_sound_ms: int | None = None
    first_frame_sent_ms: int | None = None
    first_mark_back_ms: int | None = None
    is_asked: bool = False
    is_written: bool = False
    items: dict[str, ItemWords] = field(default_factory=dict)

    def item(self, item_id: str) -> ItemWords:
        return self.items.setdefault(item_id, ItemWords())


@dataclass(slots=True)
class ItemWords:
    text: str = ""
    produced_ms: int = 0
    heard_ms: int | None = None
    heard_text: str | None = None

    def heard_words(self) -> str:
        """The words heard: all, none, or by the share of the sound that was heard, cut at a word."""
        if self.heard_text is not None:
            return self.heard_text
        if self.heard_ms is None or self.heard_ms >= self.produced_ms > 0:
            return self.text
        return words_until(self.text, self.heard_ms / self.produced_ms if self.produced_ms else 0.0)


class TurnBook:
    """Numbers turns in order of their beginning."""

    def __init__(self, first_number: int = 1) -> None:
        self._next = first_number
        self._callee: dict[str, CalleeTurn] = {}
        self.agent: AgentTurn | None = None
        self.last_callee: CalleeTurn | None = None
        self.callee_count = 0

    @property
    def agent_number(self) -> int:
        """The number of Sofia's present turn, or the one it will have."""
        return self.agent.n if self.agent and self.agent.n else self._next

    def callee_started(self, item_id: str, started_ms: int) -> CalleeTurn:
        turn = CalleeTurn(self._take(), item_id, started_ms)
        self._callee[item_id] = turn
        self.last_callee = turn
        self.callee_count += 1
        return turn

    def callee(self, item_id: str) -> CalleeTurn | None:
        return self._callee.get(item_id)

    def callee_stopped(self, item_id: str, ended_ms: int, seen_ms: float) -> list[Action]:
        turn = self._callee.get(item_id)
        if turn is None:
            return []
        turn.ended_ms, turn.stop_seen_ms = max(ended_ms, turn.started_ms), int(seen_ms)
        return [Record(turn.as_turn())]

    def callee_lost(self, now_ms: float) -> list[Action]:
        """The detector is gone in the middle of an utterance: it ends here, its words stay unknown."""
        turn = self.last_callee
        if turn is None or turn.ended_ms is not None:
            return []
        turn.ended_ms = turn.stop_seen_ms = int(now_ms)
        return [Record(turn.as_turn())]

    def callee_words(self, item_id: str, text: str) -> list[Action]:
        turn = self._callee.get(item_id)
        if turn is None:
            return []
        turn.text = text
        return [Record(turn.as_turn())]

    def agent_turn(self) -> AgentTurn:
        """Sofia's present turn, begun if there is none."""
        if self.agent is None:
            self.agent = AgentTurn()
        return self.agent

    @property
    def is_heard(self) -> bool:
        """Whether sound of Sofia's present turn was sent."""
        return self.agent is not None and self.agent.first_frame_sent_ms is not None

    def reply_asked(self, now_ms: float) -> None:
        """The moment at which the reply of Sofia's present turn was really asked for."""
        turn = self.agent
        if turn is not None and turn.decided_ms is not None and not turn.is_asked:
            turn.decided_ms, turn.is_asked = int(now_ms), True

    def frame_written(self, now_ms: float) -> None:
        """The moment at which the first sound of Sofia's present turn was really written."""
        turn = self.agent
        if turn is not None and turn.first_frame_sent_ms is not None and not turn.is_written:
            turn.first_frame_sent_ms, turn.is_written = int(now_ms), True

    def begin_anew(self, now_ms: float) -> None:
        """What was sent of Sofia's present turn hardly reached the ear: the turn begins again, behind the callee's
        words. Its number is not used."""
        if self.agent is None:
            return
        items, self.agent = self.agent.items, None
        self.decided(now_ms)
        turn = self.agent_turn()
        turn.items, turn.first_model_sound_ms = items, int(now_ms)

    def judged(self, now_ms: float) -> None:
        """What the callee said last was found to be meant: until then Sofia could not decide."""
        if self.last_callee is not None:
            self.last_callee.judged_ms = int(now_ms)

    def sound_sent(self, now_ms: float) -> None:
        """Sound of Sofia's present turn goes to the carrier."""
        turn = self.agent_turn()
        if turn.first_frame_sent_ms is None:
            turn.n, turn.first_frame_sent_ms = self._take(), int(now_ms)

    def decided(self, now_ms: float) -> None:
        """Sofia decided to answer what the callee said last."""
        if self.agent is not None:
            return
        turn = self.agent_turn()
        turn.decided_ms = int(now_ms)
        if self.last_callee is not None and self.last_callee.ended_ms is not None:
            turn.callee_stopped_ms = self.last_callee.ended_ms
            turn.stop_seen_ms = self.last_callee.judged_ms or self.last_callee.stop_seen_ms

    def agent_ended(self, now_ms: float, interrupted: bool) -> list[Action]:
        """Close Sofia's turn. A turn of which nothing was sent leaves no trace."""
        turn, self.agent = self.agent, None
        if turn is None or turn.first_frame_sent_ms is None:
            return []
        said = " ".join(item.text.strip() for item in turn.items.values() if item.text.strip())
        heard = " ".join(w for item in turn.items.values() if (w := item.heard_words().strip()))
        waterfall = Waterfall(
            callee_stopped_ms=turn.callee_stopped_ms,
            stop_seen_ms=turn.stop_seen_ms,
            decided_ms=turn.decided_ms,
            first_model_sound_ms=turn.first_model_sound_ms,
            first_frame_sent_ms=turn.first_frame_sent_ms,
            first_mark_back_ms=turn.first_mark_back_ms,
        )
        began = turn.first_frame_sent_ms
        return [
            Record(
                Turn(
                    turn.n,
                    Who.AGENT,
                    said,
                    heard,
                    began,
                    int(now_ms),
                    interrupted,
                    waterfall,
                )
            )
        ]

    def _take(self) -> int:
        number = self._next
        self._next += 1
        return number
