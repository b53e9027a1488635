"""Whether a call may be made now: one pure function, asked when a call is queued and again right before dialling.

Every rule leaves a trace, so that a decision can be explained and proved. All rules fail closed: what is not known is
a no. Sources of the Spanish policy: LGTel art. 66, RDLeg 1/2007 art. 96, Order TDF/149/2025, SETID 14 Apr 2026.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.domain.agent import Agent
from shared.domain.lead import ConsentBasis, Lead, names_a_directory
from shared.domain.outcome import OptOutScope
from shared.domain.phone import CALLABLE_TYPES, NumberType, number_type
from shared.domain.tenant import CallerId, Purpose, Tenant


class Reason(StrEnum):
    TENANT_PAUSED = "TENANT_PAUSED"
    COUNTRY_DISABLED = "COUNTRY_DISABLED"
    NUMBER_TYPE_FORBIDDEN = "NUMBER_TYPE_FORBIDDEN"
    SUPPRESSED_TENANT = "SUPPRESSED_TENANT"
    SUPPRESSED_PLATFORM = "SUPPRESSED_PLATFORM"
    NO_CONSENT = "NO_CONSENT"
    CONSENT_NOT_FOR_AI = "CONSENT_NOT_FOR_AI"
    CONSENT_WITHDRAWN = "CONSENT_WITHDRAWN"
    CONSENT_EXPIRED = "CONSENT_EXPIRED"
    CALLER_ID_NOT_OWNED = "CALLER_ID_NOT_OWNED"
    CALLER_ID_TYPE = "CALLER_ID_TYPE"
    CALLER_ID_PURPOSE = "CALLER_ID_PURPOSE"
    WEEKEND = "WEEKEND"
    OUTSIDE_WINDOW = "OUTSIDE_WINDOW"
    CONCURRENCY = "CONCURRENCY"
    OPENING_NOT_APPROVED = "OPENING_NOT_APPROVED"


class Stage(StrEnum):
    """When the gate was asked."""

    QUEUED = "queued"
    DIAL = "dial"


@dataclass(frozen=True, slots=True)
class Policy:
    """A country's rules as data. Times are the lead's local time."""

    version: str
    window_from: time
    last_dial: time
    consent_days: int
    only_400_from: date


SPAIN = Policy("es-2026-11-24", time(9, 0), time(20, 45), 365, date(2026, 10, 17))


@dataclass(frozen=True, slots=True)
class GateInput:
    """Everything a decision rests on. `suppressed` is the scope of a suppression on record, None if there is none."""

    tenant: Tenant
    agent: Agent
    lead: Lead
    caller_id: CallerId | None
    suppressed: OptOutScope | None
    active_calls: int
    now: datetime


@dataclass(frozen=True, slots=True)
class RuleResult:
    rule: str
    passed: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """The gate's answer and its proof: `inputs` is what it rests on as canonical JSON (sorted keys, no blanks, UTC),
    `inputs_hash` that text's SHA-256."""

    allowed: bool
    reason: Reason | None
    retry_at: datetime | None
    stage: Stage
    policy_version: str
    inputs_hash: str
    decided_at: datetime
    rules: tuple[RuleResult, ...]
    inputs: str = ""


_ONLY_400 = frozenset({NumberType.COMMERCIAL_400})
# Order TDF/149/2025 arts. 9-10: 800 and 900 are allowed, mobile numbers never; of geographic ones it is silent.
_SHOWABLE_TYPES = _ONLY_400 | {NumberType.GEOGRAPHIC, NumberType.FREEPHONE, NumberType.NOMADIC}


@dataclass(frozen=True, slots=True)
class _No:
    reason: Reason
    retry_at: datetime | None = None


def decide(given: GateInput, stage: Stage, policy: Policy = SPAIN) -> Decision:
    """The decision; the first rule that fails wins. The others are asked all the same: whoever reads the decision
    sees everything that stands against the call, not one thing at a time."""
    answers = [(name, rule(given, policy)) for name, rule in _RULES]
    refusal = next((no for _, no in answers if no is not None), None)
    inputs = _canonical(given, policy)
    return Decision(
        allowed=refusal is None,
        reason=refusal.reason if refusal else None,
        retry_at=refusal.retry_at if refusal else None,
        stage=stage,
        policy_version=policy.version,
        inputs_hash=hashlib.sha256(inputs.encode()).hexdigest(),
        decided_at=given.now,
        rules=tuple(
            RuleResult(name, no is None, no.reason.value if no else "") for name, no in answers
        ),
        inputs=inputs,
    )


def _canonical(given: GateInput, policy: Policy) -> str:
    """What the rules look at, and no more: of tenant and agent what decides, the lead whole."""
    tenant, agent = given.tenant, given.agent
    facts = {
        "tenant": {
            "tenant_id": tenant.tenant_id,
            "active": tenant.active,
            "concurrency": tenant.concurrency,
            "countries": tenant.countries,
            "must_use_400": tenant.must_use_400,
        },
        "agent": {
            "agent_id": agent.agent_id,
            "version": agent.version,
            "opening_approved_at": agent.opening.approved_at,
        },
        "lead": asdict(given.lead),
        "caller_id": asdict(given.caller_id) if given.caller_id else None,
        "suppressed": given.suppressed,
        "active_calls": given.active_calls,
        "now": given.now,
        "policy": asdict(policy),
    }
    return json.dumps(
        facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain
    )


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no canonical form")


def _tenant(given: GateInput, _policy: Policy) -> _No | None:
    return None if given.tenant.active else _No(Reason.TENANT_PAUSED)


def _country(given: GateInput, _policy: Policy) -> _No | None:
    allowed = any(given.lead.phone.startswith(prefix) for prefix in given.tenant.countries)
    return None if allowed else _No(Reason.COUNTRY_DISABLED)


def _number(given: GateInput, _policy: Policy) -> _No | None:
    callable_number = number_type(given.lead.phone) in CALLABLE_TYPES
    return None if callable_number else _No(Reason.NUMBER_TYPE_FORBIDDEN)


def _suppression(given: GateInput, _policy: Policy) -> _No | None:
    if given.suppressed is None:
        return None
    platform = given.suppressed is OptOutScope.PLATFORM
    return _No(Reason.SUPPRESSED_PLATFORM if platform else Reason.SUPPRESSED_TENANT)


def _consent(given: GateInput, policy: Policy) -> _No | None:
    consent = given.lead.consent
    if consent is None or consent.basis is ConsentBasis.NONE or consent.at > given.now:
        return _No(Reason.NO_CONSENT)
    if names_a_directory(consent.source):
        return _No(Reason.NO_CONSENT)
    if consent.basis is not ConsentBasis.CONSENT_AUTOMATED:
        return _No(Reason.CONSENT_NOT_FOR_AI)
    if consent.withdrawn_at is not None:
        return _No(Reason.CONSENT_WITHDRAWN)
    if given.now - consent.at > timedelta(days=policy.consent_days):
        return _No(Reason.CONSENT_EXPIRED)
    return None


def may_show(caller_id: CallerId, tenant: Tenant, now: datetime, policy: Policy = SPAIN) -> bool:
    """Whether calls of this tenant may show a number of this type on this day."""
    bound = tenant.must_use_400 and now.astimezone(_MADRID).date() >= policy.only_400_from
    types = _ONLY_400 if bound else _SHOWABLE_TYPES
    return caller_id.type in types


def _caller_id(given: GateInput, policy: Policy) -> _No | None:
    caller_id = given.caller_id
    if caller_id is None:
        return _No(Reason.CALLER_ID_NOT_OWNED)
    if not may_show(caller_id, given.tenant, given.now, policy):
        return _No(Reason.CALLER_ID_TYPE)
    if caller_id.purpose is not Purpose.COMMERCIAL:
        return _No(Reason.CALLER_ID_PURPOSE)
    return None


def _window(given: GateInput, policy: Policy) -> _No | None:
    zones = lead_zones(given.lead)
    if all(is_open(given.now, zone, policy) for zone in zones):
        return None
    retry_at = _next_opening(given.now, zones, policy)
    weekend = any(is_weekend(given.now, zone) for zone in zones)
    return _No(Reason.WEEKEND if weekend else Reason.OUTSIDE_WINDOW, retry_at)


def _concurrency(given: GateInput, _policy: Policy) -> _No | None:
    if given.active_calls < given.tenant.concurrency:
        return None
    return _No(Reason.CONCURRENCY, given.now + timedelta(seconds=5))


def _opening(given: GateInput, _policy: Policy) -> _No | None:
    approved = given.agent.opening.approved_at
    return None if approved is not None else _No(Reason.OPENING_NOT_APPROVED)


_RULES: tuple[tuple[str, Callable[[GateInput, Policy], _No | None]], ...] = (
    ("tenant_active", _tenant),
    ("country_enabled", _country),
    ("number_dialable", _number),
    ("not_suppressed", _suppression),
    ("consent", _consent),
    ("caller_id", _caller_id),
    ("window", _window),
    ("concurrency", _concurrency),
    ("opening_approved", _opening),
)

_SATURDAY = 5
_MADRID, _CANARY = ZoneInfo("Europe/Madrid"), ZoneInfo("Atlantic/Canary")
_CANARY_PREFIXES = ("+34922", "+34822", "+34928", "+34828")
SPANISH_ZONES = frozenset({"Europe/Madrid", "Africa/Ceuta", "Atlantic/Canary"})


def lead_zones(lead: Lead) -> tuple[ZoneInfo, ...]:
    """The zones in which the window must be open, most likely first. A Spanish number is in a Spanish zone, whatever
    the lead's record says: a landline in its prefix's (and in the record's, where that is another Spanish one), any
    other number in the record's, or in both where the record names none."""
    spanish = lead.phone.startswith("+34")
    named = _zone(lead.timezone)
    if named is not None and spanish and named.key not in SPANISH_ZONES:
        named = None
    if spanish and number_type(lead.phone) is NumberType.GEOGRAPHIC:
        place = _CANARY if lead.phone.startswith(_CANARY_PREFIXES) else _MADRID
        return (place,) if named in (None, place) else (place, named)
    return (named,) if named is not None else (_MADRID, _CANARY)


def _zone(name: str | None) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError):
        return None


def is_weekend(moment: datetime, zone: ZoneInfo) -> bool:
    """Saturday or Sunday there."""
    return moment.astimezone(zone).weekday() >= _SATURDAY


def is_open(moment: datetime, zone: ZoneInfo, policy: Policy = SPAIN) -> bool:
    """Whether a call may be dialled at this (aware) moment, as far as day and hour there go."""
    local = moment.astimezone(zone)
    in_time = policy.window_from <= local.time() <= policy.last_dial
    return in_time and not is_weekend(moment, zone)


def _next_opening(now: datetime, zones: tuple[ZoneInfo, ...], policy: Policy) -> datetime | None:
    candidates = sorted(
        datetime.combine(
            now.astimezone(zone).date() + timedelta(days=days), policy.window_from, zone
        ).astimezone(UTC)
        for zone in zones
        for days in range(8)
    )
    for moment in candidates:
        if moment > now and all(is_open(moment, zone, policy) for zone in zones):
            return moment
    return None
