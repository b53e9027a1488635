"""The person to be called, as far as the system knows before it dials."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ConsentBasis(StrEnum):
    """What the person agreed to. An automatic call needs CONSENT_AUTOMATED (LGTel art. 66.1.a)."""

    CONSENT_AUTOMATED = "consent_automated"
    CONSENT_HUMAN = "consent_human"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Consent:
    """Permission to call: what for, where it was given (spoken to the callee on request) and when."""

    basis: ConsentBasis
    source: str
    at: datetime
    withdrawn_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Lead:
    """`phone` is E.164, `timezone` an IANA name or None where only the number is known; `subdivision` is the
    autonomous community's two-letter code (MD, CT, ...)."""

    phone: str
    contact_name: str | None = None
    business_name: str | None = None
    municipality: str | None = None
    subdivision: str | None = None
    timezone: str | None = None
    consent: Consent | None = None
    lead_id: str | None = None
