"""The conversation engine: one machine for each call.

`handle` is a pure step: the same events at the same times give the same actions. The shells in `media_service.phone`
and `media_service.model` turn wire messages into events and carry the actions out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from media_service.engine import (
    callee_flow,
    closing_flow,
    detection_flow,
    opening_flow,
    recovery_flow,
    reply_flow,
    sending,
    silence_flow,
)
from media_service.engine import events as ev
from media_service.engine.actions import Action, Finish, Record
from media_service.engine.interruption import VERDICT
from media_service.engine.opening import HOLD, LONG, SCREEN, WAIT, Opening, Stage
from media_service.engine.reply_gate import RETRY, WATCHDOG
from media_service.engine.talk import CallPlan, Phase, Talk
from media_service.engine.turns import TurnBook
from shared.domain.conversation import Turn

_Step = Callable[[Talk, Any, float], list[Action]]

_STEPS: dict[type, _Step] = {
    ev.MarkReturned: lambda talk, event, now: reply_flow.mark_returned(talk, event.name, now),
    ev.DigitPressed: lambda talk, event, now: callee_flow.digit(talk, event.digit, now),
    ev.PhoneStopped: lambda talk, _event, now: closing_flow.finish(talk, now),
    ev.MachineVerdict: lambda talk, e, now: detection_flow.carrier_says(talk, e.verdict, now),
    ev.ModelReady: recovery_flow.model_ready,
    ev.ModelLost: recovery_flow.model_lost,
    ev.SpeechStarted: callee_flow.speech_started,
    ev.SpeechStopped: callee_flow.speech_stopped,
    ev.Committed: callee_flow.committed,
    ev.WordsHeard: callee_flow.words_heard,
    ev.ReplyStarted: reply_flow.started,
    ev.SoundMade: reply_flow.sound,
    ev.WordsMade: reply_flow.words,
    ev.ToolCalled: reply_flow.tool_called,
    ev.ReplyEnded: reply_flow.ended,
    ev.ModelRefused: reply_flow.refused,
    ev.ModelUnavailable: lambda talk, _event, now: recovery_flow.unavailable(talk, now),
    ev.ToolFinished: reply_flow.tool_finished,
}

_TIMERS: dict[str, Callable[[Talk, float], list[Action]]] = {
    WAIT: opening_flow.begin,
    LONG: opening_flow.hold,
    HOLD: opening_flow.begin,
    SCREEN: opening_flow.nobody_came,
    VERDICT: callee_flow.verdict_due,
    WATCHDOG: reply_flow.stuck,
    RETRY: reply_flow.release,
    sending.MARKS: reply_flow.marks_overdue,
    silence_flow.SILENCE: silence_flow.due,
    silence_flow.SOFT_LIMIT: lambda talk, _now: silence_flow.soft_limit(talk),
    silence_flow.HARD_LIMIT: silence_flow.hard_limit,
    silence_flow.FINAL_LIMIT: closing_flow.time_is_up,
    closing_flow.HANG_UP: closing_flow.hang_up,
    closing_flow.DEADLINE: closing_flow.deadline,
    closing_flow.FORCE: closing_flow.finish,
}


class Machine:
    """Events in, actions out. `now_ms` counts from the answer and never goes back."""

    def __init__(self, plan: CallPlan) -> None:
        self.talk = Talk(plan=plan, opening=Opening(plan.clip))
        if plan.history is not None:
            self._take_over(plan)

    @property
    def is_over(self) -> bool:
        return self.talk.phase is Phase.OVER

    @property
    def is_closing(self) -> bool:
        """The hang-up was ordered: the end of the line is what was asked for."""
        return self.talk.phase is Phase.CLOSING

    def start(self, now_ms: float) -> list[Action]:
        """The stream is open: the first event of every call."""
        limits = silence_flow.start_limits(self.talk)
        if self.talk.plan.history is not None:
            self.talk.enter(Phase.LISTENING)
            return limits + silence_flow.begin(self.talk, now_ms)
        return limits + self._kept(opening_flow.start(self.talk, now_ms))

    def handle(self, event: ev.Event, now_ms: float) -> list[Action]:
        """One step. After the end nothing happens any more."""
        if self.is_over:
            return []
        if isinstance(event, ev.TimerFired):
            step = _TIMERS.get(event.name)
            return self._kept(step(self.talk, now_ms)) if step else []
        return self._kept(_STEPS[type(event)](self.talk, event, now_ms))

    def line_lost(self, now_ms: float) -> list[Action]:
        """The line is gone and the call is not over: what is left to record before another task goes on with it."""
        return [] if self.is_over else self._kept(closing_flow.leave_off(self.talk, now_ms))

    def reply_asked(self, now_ms: float) -> None:
        """The shell wrote a request for a reply. Of each turn the first moment counts."""
        self.talk.book.reply_asked(now_ms)

    def first_frame_written(self, now_ms: float) -> None:
        """The shell wrote sound to the carrier. Of each turn the first moment counts."""
        self.talk.book.frame_written(now_ms)

    def _kept(self, actions: list[Action]) -> list[Action]:
        """Remember the turns that go on record: a fresh session is told of them."""
        for action in actions:
            if isinstance(action, Record) and isinstance(action.body, Turn):
                self._remember(action.body)
            elif isinstance(action, Finish):
                break
        return actions

    def _remember(self, turn: Turn) -> None:
        turns = self.talk.turns
        for index in range(len(turns) - 1, -1, -1):
            if turns[index].n == turn.n:
                turns[index] = turn
                return
            if turns[index].n < turn.n:
                turns.insert(index + 1, turn)
                return
        turns.insert(0, turn)

    def _take_over(self, plan: CallPlan) -> None:
        """Go on with a call that another task began."""
        history = plan.history
        if history is None:
            return
        talk = self.talk
        talk.turns = list(history.turns)
        talk.book = TurnBook(max((turn.n for turn in history.turns), default=0) + 1)
        talk.opening.heard = {duty.duty: duty.heard_at_ms for duty in history.duties}
        talk.opening.stage = Stage.CUT if talk.opening.missing else Stage.DONE
        talk.opening.name_asked = True
        talk.opted_out = any(tool.name == reply_flow.OPT_OUT for tool in history.tools)
        talk.first_sound_ms = history.first_sound_ms
        talk.first_callee_end_ms = history.first_callee_end_ms
        talk.human_words = detection_flow.HUMAN_AFTER
