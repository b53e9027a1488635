"""What a tenant sends to have somebody called."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AwareDatetime, Field, field_validator

from functions.parsing import StrictBody
from shared.domain.lead import Consent, ConsentBasis, Lead
from shared.domain.phone import e164

Short = Annotated[str, Field(min_length=1, max_length=120)]


class ConsentBody(StrictBody):
    basis: ConsentBasis
    source: Short
    at: AwareDatetime | str

    @field_validator("at")
    @classmethod
    def _a_date_is_enough(cls, value: datetime | str) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            return datetime.fromisoformat(f"{value}T00:00:00+00:00")
        except ValueError as error:
            raise ValueError("write a date or a date with time and offset (ISO 8601)") from error


class LeadBody(StrictBody):
    contact_name: Short | None = None
    business_name: Short | None = None
    municipality: Short | None = None
    subdivision: Annotated[str, Field(pattern="^[A-Z]{2}$")] | None = None
    timezone: Short | None = None
    lead_id: Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,64}$")] | None = None
    consent: ConsentBody | None = None

    @field_validator("timezone")
    @classmethod
    def _a_zone(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                ZoneInfo(value)
            except (ZoneInfoNotFoundError, ValueError) as error:
                raise ValueError("write an IANA zone such as Europe/Madrid") from error
        return value


class CallBody(StrictBody):
    """POST /v1/calls."""

    to: Annotated[str, Field(max_length=32)]
    from_number: Annotated[str | None, Field(max_length=32, alias="from")] = None
    agent_id: Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,64}$")] | None = None
    lead: LeadBody = LeadBody()
    metadata: Annotated[dict[Short, Short], Field(max_length=20, default_factory=dict)]


def from_number_of(body: CallBody) -> str | None:
    """The caller ID that was asked for, normalised; raises InvalidInput."""
    return e164(body.from_number, "from") if body.from_number is not None else None


def lead_of(body: CallBody) -> Lead:
    """The lead, its number normalised; raises InvalidInput."""
    lead, consent = body.lead, None
    if lead.consent is not None and isinstance(lead.consent.at, datetime):
        consent = Consent(lead.consent.basis, lead.consent.source, lead.consent.at)
    return Lead(
        phone=e164(body.to),
        contact_name=lead.contact_name,
        business_name=lead.business_name,
        municipality=lead.municipality,
        subdivision=lead.subdivision,
        timezone=lead.timezone,
        consent=consent,
        lead_id=lead.lead_id,
    )
