"""What a call costs, line by line, from its usage records and a dated price table.

Amounts are whole micro-dollars, rounded once for each line, so that lines add up to the total exactly.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from shared.domain.conversation import Usage, UsageKind
from shared.domain.phone import NumberType, number_type
from shared.domain.prices import PRICES, ModelPrice, PriceTable

MICRO = 1_000_000
SECONDS_PER_MINUTE = 60
UNPRICED = "unpriced"


@dataclass(frozen=True, slots=True)
class CostLine:
    """`amount_micro_usd` is quantity times unit price, rounded half up. Names are unique within a call."""

    name: str
    quantity: Decimal
    unit: str
    unit_price_usd: Decimal
    amount_micro_usd: int

    @property
    def amount_usd(self) -> Decimal:
        return Decimal(self.amount_micro_usd) / MICRO


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
    if not valid:
        return min(tables, key=lambda table: table.valid_from)
    return max(valid, key=lambda table: table.valid_from)


def cost_of(
    usage: Iterable[Usage],
    to_number: str,
    talk_s: float,
    verdict: bool,
    prices: PriceTable,
) -> Cost:
    """The cost of a call that was answered for `talk_s` seconds (0: never answered, no carrier minutes) and on
    which the carrier gave a `verdict` on machine or human.

    A model that the table does not know costs nothing but leaves a line of its tokens named `...unpriced`.
    """
    lines = [
        *_model_lines(usage, prices),
        *_carrier_lines(to_number, talk_s, verdict, prices),
        _line("aws", Decimal(1), "call", prices.aws_call),
    ]
    return Cost(tuple(line for line in lines if line.quantity))


@dataclass(frozen=True, slots=True)
class _Part:
    """A quantity that has one price."""

    name: str
    quantity: Decimal
    unit: str
    unit_price_usd: Decimal


def _model_lines(usage: Iterable[Usage], prices: PriceTable) -> list[CostLine]:
    sums: dict[tuple[str, str], _Part] = {}
    for record in usage:
        for part in _parts(record, prices):
            key = (part.name, record.model)
            known = sums.get(key)
            quantity = part.quantity + (known.quantity if known else 0)
            sums[key] = _Part(part.name, quantity, part.unit, part.unit_price_usd)
    names = [name for name, _model in sums]
    return [
        # A call that fell back to another model has lines of both.
        _line(
            name if names.count(name) == 1 else f"{name} ({model})",
            part.quantity,
            part.unit,
            part.unit_price_usd,
        )
        for (name, model), part in sums.items()
        if part.quantity
    ]


def _parts(record: Usage, prices: PriceTable) -> list[_Part]:
    price = prices.models.get(record.model)
    kind = record.kind.value
    if price is None:
        tokens = record.text_in + record.audio_in + record.text_out + record.audio_out
        quantity, unit = (Decimal(tokens), "token") if tokens else (_minutes(record), "min")
        return [_Part(f"{kind}.{UNPRICED}", quantity, unit, Decimal(0))]
    factor = prices.residency_factor if price.residency else 1
    if record.kind is UsageKind.TRANSCRIPTION and record.seconds:
        return [_Part(f"{kind}.minutes", _minutes(record), "min", price.minute * factor)]
    return [
        _Part(f"{kind}.{name}", Decimal(tokens), "token", per_million * factor / MICRO)
        for name, (tokens, per_million) in _tokens(record, price).items()
    ]


def _tokens(record: Usage, price: ModelPrice) -> Mapping[str, tuple[int, Decimal]]:
    """Tokens by what they are billed as. Cached ones are contained in the input counts."""
    return {
        "text_in": (record.text_in - record.text_in_cached, price.text_in),
        "text_cached": (record.text_in_cached, price.text_cached),
        "audio_in": (record.audio_in - record.audio_in_cached, price.audio_in),
        "audio_cached": (record.audio_in_cached, price.audio_cached),
        "text_out": (record.text_out, price.text_out),
        "audio_out": (record.audio_out, price.audio_out),
    }


def _minutes(record: Usage) -> Decimal:
    return Decimal(str(record.seconds)) / SECONDS_PER_MINUTE


def _carrier_lines(
    to_number: str, talk_s: float, verdict: bool, prices: PriceTable
) -> list[CostLine]:
    if talk_s <= 0:
        return []
    # Begun minutes count whole, for each answered call.
    minutes = Decimal(math.ceil(talk_s / SECONDS_PER_MINUTE))
    # What is neither is billed like the dearer of the two.
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
        lines.append(
            _line("carrier.machine_detection", Decimal(1), "call", prices.machine_detection)
        )
    return lines


def _line(name: str, quantity: Decimal, unit: str, unit_price_usd: Decimal) -> CostLine:
    amount = quantity * unit_price_usd * MICRO
    return CostLine(
        name, quantity, unit, unit_price_usd, int(amount.to_integral_value(ROUND_HALF_UP))
    )
