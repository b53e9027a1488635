"""How long people waited: where a turn's silence went, and the call's percentiles."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.conversation import Conversation, Turn, Waterfall, Who
from shared.domain.latency import call_latency, percentile, turn_latency

FALL = Waterfall(
    callee_stopped_ms=1_000,
    stop_seen_ms=1_200,
    decided_ms=1_203,
    first_model_sound_ms=1_803,
    first_frame_sent_ms=1_805,
    first_mark_back_ms=2_005,
)


def a_turn(n: int, who: Who, waterfall: Waterfall | None = None) -> Turn:
    return Turn(n, who, "…", "…", 0, 1, waterfall=waterfall)


def test_the_parts_of_a_gap_add_up_to_it() -> None:
    parts = turn_latency(FALL)
    assert (parts.detector, parts.decision, parts.model, parts.sending, parts.carrier) == (
        200,
        3,
        600,
        2,
        200,
    )
    assert parts.gap == 805
    assert parts.own == 5


def test_what_never_came_has_no_duration() -> None:
    parts = turn_latency(Waterfall(callee_stopped_ms=1, stop_seen_ms=2, decided_ms=3))
    assert (parts.detector, parts.decision) == (1, 1)
    assert parts.model is parts.sending is parts.carrier is parts.gap is parts.own is None


def test_only_sofias_turns_that_answered_count() -> None:
    talk = Conversation(
        turns=(
            a_turn(1, Who.CALLEE, FALL),
            a_turn(2, Who.AGENT, Waterfall(first_frame_sent_ms=4)),
            a_turn(3, Who.AGENT, FALL),
            a_turn(4, Who.AGENT),
        ),
        first_sound_ms=900,
        first_callee_end_ms=700,
    )
    latency = call_latency(talk)
    assert (latency.turn_p50, latency.turn_p95, latency.own_max) == (805, 805, 5)
    assert (latency.answer_to_first_audio, latency.callee_end_to_opening) == (900, 200)


def test_a_call_without_talk_has_no_figures() -> None:
    latency = call_latency(Conversation())
    assert latency.turn_p50 is latency.turn_p95 is latency.answer_to_first_audio is None
    assert latency.callee_end_to_opening is latency.own_max is None


@given(st.lists(st.integers(0, 10_000), min_size=1), st.floats(0, 100))
def test_a_percentile_is_one_of_the_values_with_enough_below(
    values: list[int], rank: float
) -> None:
    found = percentile(values, rank)
    assert found in values
    assert sum(value <= found for value in values) >= rank / 100 * len(values) - 1e-9
