"""What a tenant sends to have somebody called."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator

from functions.parsing import Moment, StrictBody
from shared.domain.errors import InvalidInput
from shared.domain.gate import SPANISH_ZONES
from shared.domain.lead import Consent, ConsentBasis, ConsentChannel, Lead, names_a_directory
from shared.domain.phone import e164

Short = Annotated[str, Field(min_length=1, max_length=120)]


class ConsentBody(StrictBody):
    """`source` is said to the person who asks where we have the number from; `channel` is the same for programs."""

    basis: ConsentBasis
    source: Short
    at: Moment
    withdrawn_at: Moment | None = None
    channel: ConsentChannel | None = None

    @field_validator("source")
    @classmethod
    def _a_place_where_people_agree(cls, value: str) -> str:
        if names_a_directory(value):
            raise ValueError(
                "nobody agrees by standing in a directory, a register or a bought list: name the form, event or "
                "conversation in which this person did"
            )
        return value

    def consent(self) -> Consent:
        return Consent(self.basis, self.source, self.at, self.withdrawn_at, self.channel)


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
    lead, phone = body.lead, e164(body.to)
    if phone.startswith("+34") and lead.timezone not in (None, *SPANISH_ZONES):
        zones = ", ".join(sorted(SPANISH_ZONES))
        raise InvalidInput("lead.timezone", f"a Spanish number is in one of {zones}")
    return Lead(
        phone=phone,
        contact_name=lead.contact_name,
        business_name=lead.business_name,
        municipality=lead.municipality,
        subdivision=lead.subdivision,
        timezone=lead.timezone,
        consent=lead.consent.consent() if lead.consent else None,
        lead_id=lead.lead_id,
    )
