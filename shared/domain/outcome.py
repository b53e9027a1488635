"""What a call led to: one primary outcome code, flags, and fields that each stand on a quote.

Codes are in order of precedence: where several fit, the first wins. The last four come from the carrier and have no
conversation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Outcome(StrEnum):
    WRONG_NUMBER = "wrong_number"
    DO_NOT_CALL = "do_not_call"
    MINOR_ANSWERED = "minor_answered"
    BUSINESS_CLOSED = "business_closed"
    TRANSFERRED = "transferred"
    QUALIFIED = "qualified"
    CALLBACK_REQUESTED = "callback_requested"
    HUMAN_REQUESTED = "human_requested"
    INFO_REQUESTED = "info_requested"
    EXISTING_CUSTOMER = "existing_customer"
    NOT_INTERESTED = "not_interested"
    GATEKEEPER = "gatekeeper"
    LANGUAGE_BARRIER = "language_barrier"
    HUNG_UP = "hung_up"
    IVR = "ivr"
    VOICEMAIL = "voicemail"
    INCONCLUSIVE = "inconclusive"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    FAILED = "failed"
    CANCELED = "canceled"


class Flag(StrEnum):
    """What a person should know beside the outcome; any number of them."""

    HUMAN_REQUESTED = "human_requested"
    HOSTILE = "hostile"
    PROMPT_INJECTION = "prompt_injection"
    SOCIAL_ENGINEERING = "social_engineering"
    PRIVACY_REQUEST = "privacy_request"
    AUDIO_PROBLEM = "audio_problem"
    LANGUAGE_MISMATCH = "language_mismatch"
    OPENING_INCOMPLETE = "opening_incomplete"
    RECORDING_OBJECTION = "recording_objection"
    MINOR = "minor"
    SENSITIVE_DATA_REDACTED = "sensitive_data_redacted"
    AGENT_ERROR = "agent_error"


# After these nobody calls the number again: its owner said so, or it is not the business any more.
SUPPRESSING = frozenset({Outcome.WRONG_NUMBER, Outcome.DO_NOT_CALL, Outcome.BUSINESS_CLOSED})


class OptOutScope(StrEnum):
    """Against whose calls an objection stands: this tenant's, or everybody's."""

    TENANT = "tenant"
    PLATFORM = "platform"


class NextStep(StrEnum):
    DEMO = "demo"
    CALLBACK = "callback"
    INFO = "info"
    HUMAN = "human"
    NONE = "none"


FieldValue = str | int | bool | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """The words a field stands on: the turn they were spoken in and the words themselves."""

    turn: int
    quote: str


@dataclass(frozen=True, slots=True)
class ExtractedField:
    """One thing learnt in the call; without evidence there is no field."""

    value: FieldValue
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class OptOut:
    """An objection against calls. `quote` is None where the words cannot be shown; `reference` was spoken to the
    person."""

    requested: bool
    scope: OptOutScope | None = None
    quote: str | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Analysis:
    """The result of outcome analysis. `fields` are named as in `FIELD_NAMES`; what was not said has no entry."""

    call_id: str
    outcome: Outcome
    flags: frozenset[Flag]
    next_step: NextStep
    summary: str
    fields: Mapping[str, ExtractedField]
    opt_out: OptOut
    sentiment: str | None
    language: str | None
    reason: str
    model: str
    analysed_at: datetime


FIELD_NAMES = (
    "contact_name",
    "decision_maker_name",
    "contact_role",
    "is_decision_maker",
    "business_type",
    "staff_count",
    "locations_count",
    "booking_tools",
    "pain_points",
    "objections",
    "interest_level",
    "timing",
    "budget_signal",
    "callback_at",
    "callback_timezone",
    "callback_with",
    "email",
    "email_consent",
    "whatsapp_number",
    "whatsapp_consent",
    "best_time",
    "closing_days",
)
