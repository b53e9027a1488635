"""Cost by line."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.conversation import Usage, UsageKind
from shared.domain.cost import PRICES, cost_of, prices_at

TABLE = PRICES[0]
counts = st.integers(0, 100_000)


@st.composite
def usages(draw) -> Usage:
    text, audio = draw(counts), draw(counts)
    return Usage(
        UsageKind.RESPONSE,
        "gpt-realtime-2.1",
        text_in=text,
        text_in_cached=draw(st.integers(0, text)),
        audio_in=audio,
        audio_in_cached=draw(st.integers(0, audio)),
        text_out=draw(counts),
        audio_out=draw(counts),
    )


def test_a_call_line_by_line() -> None:
    usage = [
        Usage(UsageKind.RESPONSE, "gpt-realtime-2.1", text_in=1_000, audio_in=600, audio_out=1_200)
    ]
    cost = cost_of(usage, "+34600000001", 61, True, TABLE)
    lines = {line.name: line.amount_micro_usd for line in cost.lines}
    # 600 tokens of sound heard are a minute at $0.0192, 1,200 spoken a minute at $0.0768.
    assert lines["response.audio_in"] == 19_200
    assert lines["response.audio_out"] == 76_800
    assert lines["response.text_in"] == 4_000
    assert lines["carrier.mobile"] == 2 * 48_600
    assert lines["carrier.machine_detection"] == 7_500
    assert cost.total_micro_usd == sum(lines.values())


def test_an_unanswered_call_costs_no_minutes() -> None:
    names = [line.name for line in cost_of([], "+34600000001", 0, False, TABLE).lines]
    assert names == ["aws"]


def test_landlines_are_cheaper() -> None:
    lines = {line.name for line in cost_of([], "+34910000001", 10, False, TABLE).lines}
    assert "carrier.landline" in lines


@given(usages())
def test_never_negative_and_never_dearer_from_the_cache(usage) -> None:
    cached = cost_of([usage], "+34600000001", 0, False, TABLE).total_micro_usd
    plain = Usage(
        usage.kind,
        usage.model,
        text_in=usage.text_in,
        audio_in=usage.audio_in,
        text_out=usage.text_out,
        audio_out=usage.audio_out,
    )
    assert 0 <= cached <= cost_of([plain], "+34600000001", 0, False, TABLE).total_micro_usd + 4


def test_a_day_before_the_first_table_has_the_first_prices() -> None:
    assert prices_at(date(2020, 1, 1)) is TABLE
