"""Who uses Sofia: tenants, their limits, their numbers and their keys."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.domain.phone import NumberType, number_type

# The tenant whose keys administer the platform; it calls nobody.
ADMINISTRATION = "sofia-administration"


class Scope(StrEnum):
    """What a key may do."""

    CALLS_WRITE = "calls:write"
    CALLS_READ = "calls:read"
    ADMIN = "admin"


class Purpose(StrEnum):
    """What a caller ID may be used for."""

    COMMERCIAL = "commercial"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class CallerId:
    """A number that a tenant holds at the carrier that originates its calls."""

    number: str
    purpose: Purpose = Purpose.COMMERCIAL

    @property
    def type(self) -> NumberType:
        return number_type(self.number)


@dataclass(frozen=True, slots=True)
class Tenant:
    """A customer of the platform. `countries` are E.164 prefixes that may be dialled (toll fraud)."""

    tenant_id: str
    name: str
    created_at: datetime
    active: bool = True
    concurrency: int = 5
    calls_per_minute: int = 60
    countries: tuple[str, ...] = ("+34",)
    must_use_400: bool = True
    machine_detection: bool = True
    caller_ids: tuple[CallerId, ...] = ()
    current_agent: str | None = None


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is stored: only its hash. `key_id` names it to people."""

    key_id: str
    key_hash: str
    tenant_id: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def is_valid(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def new_key() -> str:
    """A fresh key's text, shown once: 256 bits behind a prefix that scanners recognise."""
    return "sk_" + secrets.token_urlsafe(32)


def hashed(key: str) -> str:
    """The key's SHA-256. The key has 256 random bits, so a slow hash would protect nothing more."""
    return hashlib.sha256(key.encode()).hexdigest()
