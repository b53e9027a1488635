"""What a call costs, line by line, from its usage records and a dated price table.

Amounts are micro-dollars (integers), so that sums are exact.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from shared.domain.conversation import Usage, UsageKind
from shared.domain.phone import NumberType, number_type

MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class ModelPrice:
    """Dollars per million tokens, and per minute where a model is billed by time."""

    text_in: float = 0.0
    text_cached: float = 0.0
    text_out: float = 0.0
    audio_in: float = 0.0
    audio_cached: float = 0.0
    audio_out: float = 0.0
    minute: float = 0.0


@dataclass(frozen=True, slots=True)
class PriceTable:
    """Prices from a day on. `aws_call` is the AWS share of one call of three minutes (list prices, eu-west-1)."""

    valid_from: date
    source: str
    models: Mapping[str, ModelPrice]
    mobile_minute: float
    landline_minute: float
    stream_minute: float
    machine_detection: float
    aws_call: float
    residency_factor: float = 1.0


_FULL = ModelPrice(4.0, 0.40, 24.0, 32.0, 0.40, 64.0)
_MINI = ModelPrice(0.60, 0.06, 2.40, 10.0, 0.30, 20.0)
PRICES = (
    PriceTable(
        valid_from=date(2026, 11, 1),
        source="OpenAI and Twilio list prices of November 2026; Spanish termination with an EEA caller ID",
        models={
            "gpt-realtime-2.1": _FULL,
            "gpt-realtime-2": _FULL,
            "gpt-realtime-2.1-mini": _MINI,
            "gpt-realtime-whisper": ModelPrice(minute=0.017),
            "gpt-transcribe": ModelPrice(minute=0.0045),
            "gpt-6-luna": ModelPrice(text_in=0.60, text_cached=0.06, text_out=2.40),
        },
        mobile_minute=0.0486,
        landline_minute=0.0178,
        stream_minute=0.004,
        machine_detection=0.0075,
        aws_call=0.001,
    ),
)


@dataclass(frozen=True, slots=True)
class CostLine:
    """`amount_micro_usd` is quantity times unit price, rounded half up."""

    name: str
    quantity: float
    unit: str
    unit_price_usd: float
    amount_micro_usd: int


@dataclass(frozen=True, slots=True)
class Cost:
    lines: tuple[CostLine, ...]

    @property
    def total_micro_usd(self) -> int:
        return sum(line.amount_micro_usd for line in self.lines)

    @property
    def total_usd(self) -> float:
        return self.total_micro_usd / MICRO


def prices_at(day: date, tables: tuple[PriceTable, ...] = PRICES) -> PriceTable:
    """The table in force on `day`; the oldest one for days before it."""
    valid = [table for table in tables if table.valid_from <= day]
    return max(valid, key=lambda table: table.valid_from) if valid else tables[0]


def cost_of(
    usage: Iterable[Usage],
    to_number: str,
    answered_s: float,
    verdict: bool,
    prices: PriceTable,
) -> Cost:
    """The cost of a call that was in talk for `answered_s` seconds (0: never answered, no carrier minutes)."""
    lines = [
        *_model_lines(usage, prices),
        *_carrier_lines(to_number, answered_s, verdict, prices),
    ]
    lines.append(_line("aws", 1, "call", prices.aws_call))
    return Cost(tuple(line for line in lines if line.quantity))


def _model_lines(usage: Iterable[Usage], prices: PriceTable) -> list[CostLine]:
    sums: dict[tuple[str, str, float], float] = {}
    for record in usage:
        price = prices.models.get(record.model, ModelPrice())
        for name, quantity, unit, unit_price in _parts(record, price):
            factor = prices.residency_factor
            key = (f"{record.kind.value}.{name}", unit, unit_price * factor)
            sums[key] = sums.get(key, 0.0) + quantity
    return [_line(name, quantity, unit, price) for (name, unit, price), quantity in sums.items()]


def _parts(record: Usage, price: ModelPrice) -> list[tuple[str, float, str, float]]:
    per_token = 1 / MICRO
    if record.kind is UsageKind.TRANSCRIPTION and record.seconds:
        return [("minutes", record.seconds / 60, "min", price.minute)]
    return [
        (
            "text_in",
            record.text_in - record.text_in_cached,
            "token",
            price.text_in * per_token,
        ),
        ("text_cached", record.text_in_cached, "token", price.text_cached * per_token),
        (
            "audio_in",
            record.audio_in - record.audio_in_cached,
            "token",
            price.audio_in * per_token,
        ),
        (
            "audio_cached",
            record.audio_in_cached,
            "token",
            price.audio_cached * per_token,
        ),
        ("text_out", record.text_out, "token", price.text_out * per_token),
        ("audio_out", record.audio_out, "token", price.audio_out * per_token),
    ]


def _carrier_lines(
    to_number: str, answered_s: float, verdict: bool, prices: PriceTable
) -> list[CostLine]:
    if answered_s <= 0:
        return []
    minutes = math.ceil(answered_s / 60)
    landline = number_type(to_number) is NumberType.GEOGRAPHIC
    lines = [
        _line(
            "carrier.landline" if landline else "carrier.mobile",
            minutes,
            "min",
            prices.landline_minute if landline else prices.mobile_minute,
        ),
        _line("carrier.stream", minutes, "min", prices.stream_minute),
    ]
    if verdict:
        lines.append(_line("carrier.machine_detection", 1, "call", prices.machine_detection))
    return lines


def _line(name: str, quantity: float, unit: str, unit_price_usd: float) -> CostLine:
    amount = math.floor(quantity * unit_price_usd * MICRO + 0.5)
    return CostLine(name, quantity, unit, unit_price_usd, amount)
