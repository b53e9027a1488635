"""Dead air: a nudge, another, a goodbye. And the limits of a call's length."""

from __future__ import annotations

from media_service.engine import closing_flow
from media_service.engine.actions import Action, AddItem, SetTimer, Speaker, StopTimer
from media_service.engine.reply_gate import Purpose, Request
from media_service.engine.talk import Phase, Talk
from shared.domain.conversation import CloseCause

SILENCE = "silence"
SOFT_LIMIT = "limit.soft"
HARD_LIMIT = "limit.hard"
FINAL_LIMIT = "limit.final"
# Time for a goodbye, and for one more if the callee talks over the first.
GRACE_MS = 20_000
# Somebody who talks to a customer in the salon, or over a hair dryer, comes back; they get this much longer.
PATIENCE_MS = 6_000


def begin(talk: Talk, now_ms: float) -> list[Action]:
    """Sofia has finished; the callee is expected to speak."""
    turn_taking = talk.plan.turn_taking
    steps = (*turn_taking.nudge_after_ms, turn_taking.give_up_after_ms)
    step = min(talk.nudges, len(steps) - 1)
    wait_ms = steps[step] - (steps[step - 1] if step else 0)
    extra_ms = PATIENCE_MS if talk.patient or talk.noisy else 0
    return [SetTimer(SILENCE, now_ms + wait_ms + extra_ms)]


def stop(_talk: Talk) -> list[Action]:
    return [StopTimer(SILENCE)]


def due(talk: Talk, now_ms: float) -> list[Action]:
    """Nobody has spoken for too long."""
    if talk.phase is not Phase.LISTENING or talk.callee_speaking or talk.is_sofias_turn:
        return []
    guidance = talk.plan.guidance
    if talk.nudges < len(talk.plan.turn_taking.nudge_after_ms):
        text = guidance.nudges[min(talk.nudges, len(guidance.nudges) - 1)]
        talk.nudges += 1
        return talk.gate.want(Request(Purpose.NUDGE, text), now_ms)
    return _goodbye(talk, CloseCause.SILENCE, guidance.silence_goodbye, now_ms)


def start_limits(talk: Talk) -> list[Action]:
    limits = talk.plan.limits
    return [
        SetTimer(SOFT_LIMIT, limits.soft_s * 1_000),
        SetTimer(HARD_LIMIT, limits.hard_s * 1_000),
        SetTimer(FINAL_LIMIT, limits.hard_s * 1_000 + GRACE_MS),
    ]


def soft_limit(talk: Talk) -> list[Action]:
    """Time to come to an end; the model is told once."""
    item = talk.new_item_id("limit")
    return [AddItem(item, Speaker.SYSTEM, talk.plan.guidance.soft_limit)]


def hard_limit(talk: Talk, now_ms: float) -> list[Action]:
    """Time is up: one goodbye, then the end. Tried again after a moment if the callee talks over it."""
    if talk.phase in (Phase.CLOSING, Phase.OVER):
        return []
    again = SetTimer(HARD_LIMIT, now_ms + GRACE_MS / 2)
    listening = talk.callee_speaking or talk.interruption is not None
    if listening or talk.closing.is_armed or not talk.opening.has_begun:
        return [again]
    return [again, *_goodbye(talk, CloseCause.TIME_LIMIT, talk.plan.guidance.time_goodbye, now_ms)]


def _goodbye(talk: Talk, cause: CloseCause, text: str, now_ms: float) -> list[Action]:
    return [
        *closing_flow.arm(talk, cause, None, now_ms),
        *talk.gate.want(Request(Purpose.GOODBYE, text), now_ms),
    ]
