"""What the text model is asked for: a strict schema, evidence before each value, the reason before the verdict.

Structured Outputs allow no defaults and no free dictionaries; every field is required and null where nothing was said.
What code knows better (duties heard, faults of ours, the carrier's outcomes) is not asked at all.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.domain.outcome import Flag, NextStep, OptOutScope, Outcome


class ContactRole(StrEnum):
    OWNER = "owner"
    MANAGER = "manager"
    PARTNER = "partner"
    EMPLOYEE = "employee"
    RECEPTIONIST = "receptionist"
    FAMILY = "family"
    UNKNOWN = "unknown"


class BusinessType(StrEnum):
    HAIR = "hair"
    BEAUTY = "beauty"
    NAILS = "nails"
    BARBER = "barber"
    SPA = "spa"
    MIXED = "mixed"
    OTHER = "other"


class BookingTool(StrEnum):
    PAPER = "paper"
    WHATSAPP = "whatsapp"
    PHONE = "phone"
    EXCEL = "excel"
    GOOGLE_CALENDAR = "google_calendar"
    TREATWELL = "treatwell"
    BOOKSY = "booksy"
    FRESHA = "fresha"
    OTHER_SOFTWARE = "other_software"
    NONE = "none"


class PainPoint(StrEnum):
    NO_SHOWS = "no_shows"
    CALLS_WHILE_WORKING = "calls_while_working"
    EMPTY_SLOTS = "empty_slots"
    COMMISSIONS = "commissions"
    DOUBLE_BOOKING = "double_booking"
    INVOICING = "invoicing"
    STAFF = "staff"
    OTHER = "other"


class Objection(StrEnum):
    NO_TIME = "no_time"
    NOT_INTERESTED = "not_interested"
    HAS_TOOL = "has_tool"
    PRICE = "price"
    PREFERS_HUMAN = "prefers_human"
    DISTRUST = "distrust"
    PARTNER = "partner"
    CLIENTS_OFFLINE = "clients_offline"
    LATER = "later"
    OTHER = "other"


class Weekday(StrEnum):
    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


class With(StrEnum):
    AGENT = "agent"
    HUMAN = "human"


class Sentiment(StrEnum):
    POSITIVE = "positive"
    NEUTRAL = "neutral"
    NEGATIVE = "negative"


SpokenOutcome = Literal[
    Outcome.WRONG_NUMBER,
    Outcome.DO_NOT_CALL,
    Outcome.MINOR_ANSWERED,
    Outcome.BUSINESS_CLOSED,
    Outcome.TRANSFERRED,
    Outcome.QUALIFIED,
    Outcome.CALLBACK_REQUESTED,
    Outcome.HUMAN_REQUESTED,
    Outcome.INFO_REQUESTED,
    Outcome.EXISTING_CUSTOMER,
    Outcome.NOT_INTERESTED,
    Outcome.GATEKEEPER,
    Outcome.LANGUAGE_BARRIER,
    Outcome.HUNG_UP,
    Outcome.IVR,
    Outcome.VOICEMAIL,
    Outcome.INCONCLUSIVE,
]
SpokenFlag = Literal[
    Flag.HUMAN_REQUESTED,
    Flag.HOSTILE,
    Flag.PROMPT_INJECTION,
    Flag.SOCIAL_ENGINEERING,
    Flag.PRIVACY_REQUEST,
    Flag.AUDIO_PROBLEM,
    Flag.LANGUAGE_MISMATCH,
    Flag.RECORDING_OBJECTION,
    Flag.MINOR,
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Said(_Strict):
    """A value and the person's words it stands on: the turn's number and a literal stretch of it."""

    turn: int
    quote: str


class TextSaid(_Said):
    value: str


class YesSaid(_Said):
    value: bool


class CountSaid(_Said):
    value: Annotated[int, Field(ge=0, le=1_000)]


class InterestSaid(_Said):
    value: Annotated[int, Field(ge=0, le=3)]


class RoleSaid(_Said):
    value: ContactRole


class BusinessSaid(_Said):
    value: BusinessType


class ToolsSaid(_Said):
    value: list[BookingTool]


class PainsSaid(_Said):
    value: list[PainPoint]


class ObjectionsSaid(_Said):
    value: list[Objection]


class WithSaid(_Said):
    value: With


class DaysSaid(_Said):
    value: list[Weekday]


class OptOutAnswer(_Strict):
    """Where an objection stands; turn, quote and scope are null without one."""

    turn: int | None
    quote: str | None
    scope: OptOutScope | None
    requested: bool


class AnalysisAnswer(_Strict):
    """The analyst's answer. The fields are the domain's `FIELD_NAMES`."""

    contact_name: TextSaid | None
    decision_maker_name: TextSaid | None
    contact_role: RoleSaid | None
    is_decision_maker: YesSaid | None
    business_type: BusinessSaid | None
    staff_count: CountSaid | None
    locations_count: CountSaid | None
    booking_tools: ToolsSaid | None
    pain_points: PainsSaid | None
    objections: ObjectionsSaid | None
    interest_level: InterestSaid | None
    timing: TextSaid | None
    budget_signal: TextSaid | None
    callback_at: TextSaid | None
    callback_timezone: TextSaid | None
    callback_with: WithSaid | None
    email: TextSaid | None
    email_consent: YesSaid | None
    whatsapp_number: TextSaid | None
    whatsapp_consent: YesSaid | None
    best_time: TextSaid | None
    closing_days: DaysSaid | None
    opt_out: OptOutAnswer
    language: str
    sentiment: Sentiment
    flags: list[SpokenFlag]
    reason: str
    outcome: SpokenOutcome
    next_step: NextStep
    summary: str
