"""What the text model is asked for: a strict schema, evidence before the verdict, nothing that was not said.

Structured Outputs allow no defaults and no free dictionaries; every field is required and null where nothing was said.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from shared.domain.outcome import Flag, NextStep, Outcome


class Sentiment(StrEnum):
    POSITIVE = "positive"
    NEUTRAL = "neutral"
    NEGATIVE = "negative"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Text(_Strict):
    """A value with the callee's words it stands on."""

    turn: int
    quote: str
    value: str


class Number(_Strict):
    turn: int
    quote: str
    value: int


class Yes(_Strict):
    turn: int
    quote: str
    value: bool


class Texts(_Strict):
    turn: int
    quote: str
    value: list[str]


class OptOutAnswer(_Strict):
    requested: bool
    scope: str | None
    quote: str | None


class AnalysisAnswer(_Strict):
    """The analyst's answer. Fields as in the domain's `FIELD_NAMES`."""

    contact_name: Text | None
    decision_maker_name: Text | None
    contact_role: Text | None
    is_decision_maker: Yes | None
    business_type: Text | None
    staff_count: Number | None
    locations_count: Number | None
    booking_tools: Texts | None
    pain_points: Texts | None
    objections: Texts | None
    interest_level: Number | None
    timing: Text | None
    budget_signal: Text | None
    callback_at: Text | None
    callback_timezone: Text | None
    callback_with: Text | None
    email: Text | None
    email_consent: Yes | None
    whatsapp_number: Text | None
    whatsapp_consent: Yes | None
    best_time: Text | None
    closing_days: Texts | None
    opt_out: OptOutAnswer
    language: str
    sentiment: Sentiment
    next_step: NextStep
    flags: list[Flag]
    summary: str
    reason: str
    outcome: Outcome
