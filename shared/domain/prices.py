"""What the outside world charges: dated list prices as data. A change of price is a new table, never an edit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType


class Residency(StrEnum):
    """Where OpenAI keeps a project's data."""

    ANYWHERE = ""
    EU = "eu"


# OpenAI's page on data residency: ten per cent more for the models of 5 March 2026 and later.
_RESIDENCY_FACTOR = {Residency.ANYWHERE: Decimal(1), Residency.EU: Decimal("1.10")}


@dataclass(frozen=True, slots=True)
class ModelPrice:
    """Dollars per million tokens, and per minute where a model is billed by time. `residency` says that it costs more
    where the data has to stay in a region."""

    text_in: Decimal = Decimal(0)
    text_cached: Decimal = Decimal(0)
    text_out: Decimal = Decimal(0)
    audio_in: Decimal = Decimal(0)
    audio_cached: Decimal = Decimal(0)
    audio_out: Decimal = Decimal(0)
    minute: Decimal = Decimal(0)
    residency: bool = False


@dataclass(frozen=True, slots=True)
class PriceTable:
    """Prices in dollars from a day on. `residency_factor` multiplies the prices of the models that it concerns;
    `aws_call` is the share of one call in what AWS charges by use."""

    valid_from: date
    source: str
    models: Mapping[str, ModelPrice]
    mobile_minute: Decimal
    landline_minute: Decimal
    stream_minute: Decimal
    machine_detection: Decimal
    aws_call: Decimal
    residency_factor: Decimal = Decimal(1)

    def within(self, residency: Residency) -> PriceTable:
        """The same prices for a project whose data stays in a region."""
        return replace(self, residency_factor=_RESIDENCY_FACTOR[residency])


_FULL = ModelPrice(
    text_in=Decimal("4.00"),
    text_cached=Decimal("0.40"),
    text_out=Decimal("24.00"),
    audio_in=Decimal("32.00"),
    audio_cached=Decimal("0.40"),
    audio_out=Decimal("64.00"),
    residency=True,
)
_MINI = ModelPrice(
    text_in=Decimal("0.60"),
    text_cached=Decimal("0.06"),
    text_out=Decimal("2.40"),
    audio_in=Decimal("10.00"),
    audio_cached=Decimal("0.30"),
    audio_out=Decimal("20.00"),
)
# OpenAI's price list of 22 September 2026.
_LUNA = ModelPrice(
    text_in=Decimal("0.10"),
    text_cached=Decimal("0.01"),
    text_out=Decimal("0.50"),
    residency=True,
)

PRICES: tuple[PriceTable, ...] = (
    PriceTable(
        valid_from=date(2026, 11, 1),
        source="OpenAI's price list; Twilio's machine detection; Spanish minutes with a caller ID from the "
        "EEA and stream minutes by secondary sources; AWS list prices in eu-west-1",
        models=MappingProxyType(
            {
                "gpt-realtime-2.1": _FULL,
                "gpt-realtime-2": _FULL,
                "gpt-realtime-1.5": replace(_FULL, text_out=Decimal("16.00"), residency=False),
                "gpt-realtime-2.1-mini": replace(_MINI, residency=True),
                "gpt-realtime-mini": _MINI,
                "gpt-realtime-whisper": ModelPrice(minute=Decimal("0.017")),
                "gpt-live-transcribe": ModelPrice(minute=Decimal("0.017")),
                "gpt-transcribe": ModelPrice(minute=Decimal("0.0045")),
                "gpt-6-luna": _LUNA,
                # Calls that nobody answered are read by rule.
                "rule": ModelPrice(),
            }
        ),
        mobile_minute=Decimal("0.0486"),
        landline_minute=Decimal("0.0178"),
        stream_minute=Decimal("0.004"),
        machine_detection=Decimal("0.0075"),
        # About a dollar for 1,000 answered calls of three minutes: data out 0.38, NAT 0.22, Fargate 0.20, the
        # rest DynamoDB, Lambda, load balancer, logs and queues.
        aws_call=Decimal("0.001"),
    ),
)
