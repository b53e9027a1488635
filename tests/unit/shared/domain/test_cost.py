"""Cost by line: exact sums, whole minutes, nothing negative, nothing dearer from the cache, no model forgotten."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.conversation import Usage, UsageKind
from shared.domain.cost import Cost, cost_of, prices_at
from shared.domain.prices import PRICES, PriceTable, Residency

TABLE = PRICES[0]
MOBILE, LANDLINE = "+34600000001", "+34910000001"
counts = st.integers(0, 100_000)


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    text, audio = draw(counts), draw(counts)
    return Usage(
        draw(st.sampled_from(UsageKind)),
        draw(st.sampled_from([*TABLE.models, "a-model-of-tomorrow"])),
        text_in=text,
        text_in_cached=draw(st.integers(0, text)),
        audio_in=audio,
        audio_in_cached=draw(st.integers(0, audio)),
        text_out=draw(counts),
        audio_out=draw(counts),
        seconds=draw(st.floats(0, 3_600)),
    )


def models_only(usage: list[Usage], table: PriceTable = TABLE) -> Cost:
    return cost_of(usage, MOBILE, 0, False, table)


def test_a_call_line_by_line() -> None:
    usage = [
        Usage(UsageKind.RESPONSE, "gpt-realtime-2.1", text_in=1_000, audio_in=600, audio_out=1_200),
        Usage(UsageKind.TRANSCRIPTION, "gpt-realtime-whisper", seconds=90),
        Usage(UsageKind.ANALYSIS, "gpt-6-luna", text_in=2_000, text_in_cached=500, text_out=100),
    ]
    cost = cost_of(usage, MOBILE, 61, True, TABLE)
    # 600 tokens of sound heard are a minute at $0.0192, 1,200 spoken a minute at $0.0768.
    assert {line.name: line.amount_micro_usd for line in cost.lines} == {
        "response.text_in": 4_000,
        "response.audio_in": 19_200,
        "response.audio_out": 76_800,
        "transcription.minutes": 25_500,
        "analysis.text_in": 150,
        "analysis.text_cached": 5,
        "analysis.text_out": 50,
        "carrier.mobile": 2 * 48_600,
        "carrier.stream": 2 * 4_000,
        "carrier.machine_detection": 7_500,
        "aws": 1_000,
    }
    assert cost.total_micro_usd == sum(line.amount_micro_usd for line in cost.lines)


def test_an_unanswered_call_costs_no_minutes() -> None:
    assert [line.name for line in models_only([]).lines] == ["aws"]


def test_begun_minutes_count_whole_and_landlines_are_cheaper() -> None:
    for seconds, minutes in ((0.4, 1), (60, 1), (60.1, 2), (600, 10)):
        lines = {line.name: line for line in cost_of([], LANDLINE, seconds, False, TABLE).lines}
        assert lines["carrier.landline"].quantity == minutes
        assert lines["carrier.landline"].amount_micro_usd == minutes * 17_800


def test_a_model_without_a_price_leaves_a_line_that_says_so() -> None:
    usage = [Usage(UsageKind.RESPONSE, "a-model-of-tomorrow", text_in=7, audio_out=3)]
    (line,) = (line for line in models_only(usage).lines if line.name != "aws")
    assert (line.name, line.quantity, line.amount_micro_usd) == ("response.unpriced", 10, 0)


def test_a_call_that_fell_back_keeps_the_lines_of_both_models_apart() -> None:
    usage = [
        Usage(UsageKind.RESPONSE, "gpt-realtime-2.1", audio_out=1_000_000),
        Usage(UsageKind.RESPONSE, "gpt-realtime-2.1-mini", audio_out=1_000_000),
    ]
    lines = {line.name: line.amount_usd for line in models_only(usage).lines}
    assert lines["response.audio_out (gpt-realtime-2.1)"] == 64
    assert lines["response.audio_out (gpt-realtime-2.1-mini)"] == 20


def test_data_in_the_eu_costs_a_tenth_more_for_models_and_nothing_more_for_the_rest() -> None:
    usage = [Usage(UsageKind.RESPONSE, "gpt-realtime-2.1", audio_out=1_000)]
    eu = TABLE.within(Residency.EU)
    here = {line.name: line for line in cost_of(usage, MOBILE, 9, True, eu).lines}
    there = {line.name: line for line in cost_of(usage, MOBILE, 9, True, TABLE).lines}
    dearer = [name for name in here if here[name].amount_micro_usd > there[name].amount_micro_usd]
    assert dearer == ["response.audio_out"]
    assert here["response.audio_out"].amount_micro_usd == 70_400


def test_an_older_model_costs_the_same_wherever_the_data_stays() -> None:
    usage = [Usage(UsageKind.RESPONSE, "gpt-realtime-1.5", audio_out=1_000)]
    assert models_only(usage, TABLE.within(Residency.EU)) == models_only(usage)


@given(st.lists(usages(), max_size=6), st.floats(0, 4_000), st.booleans())
def test_never_negative_and_names_are_unique(usage: list[Usage], s: float, verdict: bool) -> None:
    cost = cost_of(usage, MOBILE, s, verdict, TABLE)
    assert all(line.amount_micro_usd >= 0 and line.quantity > 0 for line in cost.lines)
    assert len({line.name for line in cost.lines}) == len(cost.lines)


@given(st.lists(usages(), max_size=4), st.lists(usages(), max_size=4))
def test_the_cost_of_two_halves_is_the_cost_of_the_whole(a: list[Usage], b: list[Usage]) -> None:
    whole = models_only(a + b).total_micro_usd
    halves = models_only(a).total_micro_usd + models_only(b).total_micro_usd
    # The share of AWS is counted once for each call; each line of a half may round by half a micro-dollar.
    rounded = len(models_only(a).lines) + len(models_only(b).lines)
    assert abs(whole + int(TABLE.aws_call * 1_000_000) - halves) <= rounded


@given(usages())
def test_the_cache_never_makes_it_dearer(usage: Usage) -> None:
    plain = replace(usage, text_in_cached=0, audio_in_cached=0)
    # Two more lines, each rounded by itself.
    assert models_only([usage]).total_micro_usd <= models_only([plain]).total_micro_usd + 2


def test_the_table_in_force_is_the_last_one_that_has_begun() -> None:
    later = replace(TABLE, valid_from=date(2027, 1, 1), stream_minute=Decimal("0.005"))
    tables = (later, TABLE)
    assert prices_at(date(2026, 12, 31), tables) is TABLE
    assert prices_at(date(2027, 1, 1), tables) is later
    assert prices_at(date(2020, 1, 1), tables) is TABLE
