"""How long people waited: waterfalls of turns as durations, and percentiles over a call."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.conversation import Conversation, Waterfall, Who


@dataclass(frozen=True, slots=True)
class TurnLatency:
    """Durations in ms. `detector`: the pause until the model's detector said that the callee had stopped; `decision`:
    ours; `model`: until its first sound; `sending`: ours; `carrier`: until the first mark came back; `gap`: silence
    between the callee's last sound and Sofia's first frame; `own`: our share of it."""

    detector: int | None
    decision: int | None
    model: int | None
    sending: int | None
    carrier: int | None
    gap: int | None
    own: int | None


def turn_latency(waterfall: Waterfall) -> TurnLatency:
    w = waterfall
    decision = _between(w.stop_seen_ms, w.decided_ms)
    sending = _between(w.first_model_sound_ms, w.first_frame_sent_ms)
    own = None if sending is None else (decision or 0) + sending
    return TurnLatency(
        detector=_between(w.callee_stopped_ms, w.stop_seen_ms),
        decision=decision,
        model=_between(w.decided_ms, w.first_model_sound_ms),
        sending=sending,
        carrier=_between(w.first_frame_sent_ms, w.first_mark_back_ms),
        gap=_between(w.callee_stopped_ms, w.first_frame_sent_ms),
        own=own,
    )


@dataclass(frozen=True, slots=True)
class CallLatency:
    answer_to_first_audio: int | None
    callee_end_to_opening: int | None
    turn_p50: int | None
    turn_p95: int | None
    own_max: int | None


def call_latency(conversation: Conversation) -> CallLatency:
    """Over all of Sofia's turns that answered something."""
    turns = [
        turn_latency(turn.waterfall)
        for turn in conversation.turns
        if turn.who is Who.AGENT and turn.waterfall is not None
    ]
    gaps = [turn.gap for turn in turns if turn.gap is not None]
    own = [turn.own for turn in turns if turn.own is not None]
    opened = _between(conversation.first_callee_end_ms, conversation.first_sound_ms)
    return CallLatency(
        answer_to_first_audio=conversation.first_sound_ms,
        callee_end_to_opening=opened,
        turn_p50=percentile(gaps, 50),
        turn_p95=percentile(gaps, 95),
        own_max=max(own, default=None),
    )


def percentile(values: Sequence[int], rank: float) -> int | None:
    """Nearest rank; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, math.ceil(rank / 100 * len(ordered)) - 1)]


def _between(start: int | None, end: int | None) -> int | None:
    return None if start is None or end is None else end - start
