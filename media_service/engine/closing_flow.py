"""The end of a call: hang up only after the goodbye was heard, and then really."""

from __future__ import annotations

from collections.abc import Sequence

from media_service.engine.actions import (
    Action,
    Finish,
    HangUp,
    Record,
    SetTimer,
    StopTimer,
)
from media_service.engine.opening import CLIP_ITEM, Stage
from media_service.engine.playout import Cut
from media_service.engine.reply_gate import Purpose, Request
from media_service.engine.talk import Phase, Talk
from shared.domain.conversation import CloseCause, DutyHeard, ToolStatus, ToolUse
from shared.domain.journal import Closed

HANG_UP = "closing.hang_up"
DEADLINE = "closing.deadline"
FORCE = "closing.force"
# Room for a last word of the callee between the goodbye and the click.
LAST_WORD_MS = 400
# A goodbye takes a few seconds; a call must not stay open for ever because a mark never came.
GOODBYE_WITHIN_MS = 15_000
LAST_CHANCE_MS = 2_000
# If the carrier's API did not end the call by then, the socket is closed and the TwiML ends it.
HANG_UP_WITHIN_MS = 5_000


def arm(talk: Talk, cause: CloseCause, use: ToolUse | None, now_ms: float) -> list[Action]:
    """The call is to end once everything said is heard. `use` is the model's `end_call`; it goes on record when it
    takes effect, so that a closing that the callee stopped leaves no second one."""
    talk.closing.arm(cause, use)
    return [SetTimer(DEADLINE, now_ms + talk.playout.unheard_ms(now_ms) + GOODBYE_WITHIN_MS)]


def goodbye(talk: Talk, now_ms: float) -> list[Action]:
    """One goodbye for a closing that was ordered without words, or whose tools' results ask for some."""
    return talk.gate.want(Request(Purpose.GOODBYE, talk.plan.guidance.closing_goodbye), now_ms)


def hang_up_soon(talk: Talk, now_ms: float) -> list[Action]:
    return [SetTimer(HANG_UP, now_ms + LAST_WORD_MS)]


def hang_up(talk: Talk, now_ms: float) -> list[Action]:
    """Now. Idempotent."""
    if talk.phase in (Phase.CLOSING, Phase.OVER):
        return []
    actions = talk.book.agent_ended(now_ms, interrupted=not talk.playout.is_idle)
    talk.enter(Phase.CLOSING)
    if talk.closing.use is not None:
        actions.append(Record(talk.closing.use))
    return [
        *actions,
        StopTimer(DEADLINE),
        *talk.gate.cancel(),
        HangUp(),
        SetTimer(FORCE, now_ms + HANG_UP_WITHIN_MS),
    ]


def end_now(talk: Talk, cause: CloseCause, outcome: str | None, now_ms: float) -> list[Action]:
    """End without a goodbye: a machine answered, the model is gone for good, or an operator ordered it."""
    actions = talk.playout.pause(now_ms) + leave_off(talk, now_ms)
    use = None
    if outcome is not None:
        use = ToolUse(
            call_id=f"engine-{cause.value}",
            name="end_call",
            arguments={"outcome": outcome},
            status=ToolStatus.DONE,
            result={"ok": True, "by": "engine"},
            at_ms=int(now_ms),
            turn=talk.book.agent_number,
        )
    talk.closing.arm(cause, use)
    return actions + hang_up(talk, now_ms)


def note_cuts(talk: Talk, cuts: Sequence[Cut]) -> None:
    """The book keeps what was heard of sound that is thrown away."""
    turn = talk.book.agent
    if turn is None:
        return
    for cut in cuts:
        words = turn.item(cut.item_id)
        words.heard_ms, words.produced_ms = cut.heard_ms, cut.produced_ms
        if cut.item_id == CLIP_ITEM:
            words.heard_text = talk.opening.words_heard(cut.heard_ms)


def deadline(talk: Talk, now_ms: float) -> list[Action]:
    """The goodbye took too long. Somebody who is speaking is not cut off; time's end is another timer's."""
    if not talk.closing.is_armed:
        return []
    unheard_ms = talk.playout.unheard_ms(now_ms)
    if talk.callee_speaking or talk.interruption is not None or unheard_ms:
        return [SetTimer(DEADLINE, now_ms + unheard_ms + LAST_CHANCE_MS)]
    return hang_up(talk, now_ms)


def time_is_up(talk: Talk, now_ms: float) -> list[Action]:
    """The longest a call may take, whoever is speaking."""
    if talk.phase in (Phase.CLOSING, Phase.OVER):
        return []
    return end_now(talk, CloseCause.TIME_LIMIT, None, now_ms)


def leave_off(talk: Talk, now_ms: float) -> list[Action]:
    """The call is left in the middle of whatever Sofia was saying: what was heard of it goes on record."""
    talk.playout.pause(now_ms)  # to know how much
    interrupted = talk.playout.has_unheard_sound
    cuts = talk.playout.drop()
    note_cuts(talk, cuts)
    actions: list[Action] = []
    for cut in cuts:
        if cut.item_id == CLIP_ITEM and talk.opening.stage is Stage.SPEAKING:
            duties = talk.opening.progressed(cut.heard_ms, now_ms)
            actions += [Record(DutyHeard(duty, int(now_ms))) for duty in duties]
    return actions + talk.book.agent_ended(now_ms, interrupted)


def finish(talk: Talk, now_ms: float) -> list[Action]:
    """The line is closed."""
    if talk.phase is Phase.OVER:
        return []
    actions = leave_off(talk, now_ms) if talk.phase is not Phase.CLOSING else []
    cause = talk.closing.cause or CloseCause.CALLEE_HUNG_UP
    if talk.phase is not Phase.CLOSING and talk.closing.use is not None:
        # They hung up between our goodbye and our click.
        actions.append(Record(talk.closing.use))
    talk.enter(Phase.OVER)
    return [*actions, Record(Closed(cause, int(now_ms))), Finish(cause)]
