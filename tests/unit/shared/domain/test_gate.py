"""The gate on the published test vectors."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.agents.opening import opening_for
from shared.domain.agent import Agent, TenantFacts
from shared.domain.gate import (
    SPAIN,
    SPANISH_ZONES,
    GateInput,
    Reason,
    Stage,
    decide,
    is_open,
    is_weekend,
    may_show,
)
from shared.domain.lead import Consent, ConsentBasis, Lead
from shared.domain.outcome import OptOutScope
from shared.domain.tenant import CallerId, Purpose, Tenant

MADRID, CANARY = ZoneInfo("Europe/Madrid"), ZoneInfo("Atlantic/Canary")
TUESDAY = datetime(2026, 11, 24, 11, 0, tzinfo=MADRID)
FACTS = TenantFacts(
    "Nubelia", "agenda", "Laura", "9 a 19", "nueve uno cero", "n.example", "p@n.example", ()
)
OPENING = replace(opening_for(FACTS, "Sofía"), approved_at=TUESDAY)


def asked(
    now: datetime = TUESDAY, phone: str = "+34910000001", zone: str | None = None, **changes
) -> GateInput:
    consent = Consent(ConsentBasis.CONSENT_AUTOMATED, "formulario web", now - timedelta(days=10))
    given = GateInput(
        tenant=Tenant("t", "Nubelia", now, caller_ids=(CallerId("+34400000012"),)),
        agent=Agent("t", "sofia", 1, "Sofía", FACTS, OPENING),
        lead=Lead(phone, timezone=zone, consent=consent),
        caller_id=CallerId("+34400000012"),
        suppressed=None,
        active_calls=0,
        now=now.astimezone(UTC),
    )
    return replace(given, **changes)


def answer(given: GateInput) -> Reason | None:
    return decide(given, Stage.DIAL).reason


def madrid(
    day: int, hour: int, minute: int, second: int = 0, month: int = 11, year: int = 2026
) -> datetime:
    return datetime(year, month, day, hour, minute, second, tzinfo=MADRID)


@pytest.mark.parametrize(
    ("phone", "now", "reason"),
    [
        ("+34910000001", madrid(24, 8, 59, 59), Reason.OUTSIDE_WINDOW),
        ("+34910000001", madrid(24, 9, 0), None),
        ("+34910000001", madrid(24, 20, 45, 1), Reason.OUTSIDE_WINDOW),
        ("+34928000001", madrid(24, 9, 30), Reason.OUTSIDE_WINDOW),
        ("+34600000001", madrid(24, 9, 30), Reason.OUTSIDE_WINDOW),
        ("+34600000001", madrid(24, 20, 30), None),
        ("+34510000001", madrid(24, 9, 30), Reason.OUTSIDE_WINDOW),
        ("+34910000001", madrid(28, 11, 0), Reason.WEEKEND),
        # The Monday after each change of the clocks: windows follow the wall.
        ("+34910000001", madrid(26, 8, 59, 0, 10), Reason.OUTSIDE_WINDOW),
        ("+34910000001", madrid(26, 9, 0, 0, 10), None),
        ("+34910000001", madrid(29, 8, 59, 0, 3, 2027), Reason.OUTSIDE_WINDOW),
        ("+34910000001", madrid(29, 9, 0, 0, 3, 2027), None),
        ("+34806000001", TUESDAY, Reason.NUMBER_TYPE_FORBIDDEN),
        ("+34902000001", TUESDAY, Reason.NUMBER_TYPE_FORBIDDEN),
        ("+34400000001", TUESDAY, Reason.NUMBER_TYPE_FORBIDDEN),
        ("+15005550006", TUESDAY, Reason.COUNTRY_DISABLED),
    ],
)
def test_numbers_and_windows(phone, now, reason) -> None:
    assert answer(asked(now, phone)) is reason


@pytest.mark.parametrize(
    ("phone", "zone", "now", "reason"),
    [
        # Evening in Madrid is afternoon in Lima, where no Spanish landline rings.
        ("+34910000001", "America/Lima", madrid(24, 22, 30), Reason.OUTSIDE_WINDOW),
        ("+34910000001", "America/Lima", madrid(24, 11, 0), None),
        ("+34600000001", "America/Lima", madrid(24, 22, 30), Reason.OUTSIDE_WINDOW),
        ("+34600000001", "America/Lima", madrid(24, 9, 30), Reason.OUTSIDE_WINDOW),
        ("+34600000001", "America/Lima", madrid(24, 10, 0), None),
        ("+34600000001", "No/Where", madrid(24, 9, 30), Reason.OUTSIDE_WINDOW),
        # A landline is where its prefix says; a record that names the other Spanish zone only narrows the window.
        ("+34928000001", "Europe/Madrid", madrid(24, 9, 30), Reason.OUTSIDE_WINDOW),
        ("+34910000001", "Atlantic/Canary", madrid(24, 9, 30), Reason.OUTSIDE_WINDOW),
        ("+34910000001", "Atlantic/Canary", madrid(24, 21, 0), Reason.OUTSIDE_WINDOW),
        ("+34956000001", "Africa/Ceuta", madrid(24, 9, 30), None),
        # A mobile is where the record says, within Spain.
        ("+34600000001", "Europe/Madrid", madrid(24, 9, 30), None),
        ("+34600000001", "Atlantic/Canary", madrid(24, 9, 30), Reason.OUTSIDE_WINDOW),
        ("+34600000001", "Atlantic/Canary", madrid(24, 21, 30), None),
    ],
)
def test_a_spanish_number_rings_in_spain(phone, zone, now, reason) -> None:
    assert answer(asked(now, phone, zone)) is reason


def test_what_is_open_and_what_a_weekend_is() -> None:
    assert is_open(madrid(24, 9, 0), MADRID)
    assert not is_open(madrid(24, 9, 0), CANARY)
    assert not is_open(madrid(28, 11, 0), MADRID)
    assert is_weekend(madrid(30, 0, 30), CANARY)
    assert not is_weekend(madrid(30, 0, 30), MADRID)


def test_a_refusal_says_when_to_try_again() -> None:
    early = decide(asked(madrid(24, 8, 59, 59)), Stage.QUEUED)
    late = decide(asked(madrid(27, 20, 50)), Stage.QUEUED)
    assert early.retry_at == madrid(24, 9, 0).astimezone(UTC)
    assert late.retry_at == madrid(30, 9, 0).astimezone(UTC)
    canary = decide(asked(madrid(24, 9, 30), "+34928000001"), Stage.QUEUED)
    assert canary.retry_at == datetime(2026, 11, 24, 9, 0, tzinfo=CANARY).astimezone(UTC)


@pytest.mark.parametrize(
    ("consent", "reason"),
    [
        (None, Reason.NO_CONSENT),
        (
            Consent(ConsentBasis.CONSENT_HUMAN, "web", TUESDAY - timedelta(days=5)),
            Reason.CONSENT_NOT_FOR_AI,
        ),
        (
            Consent(ConsentBasis.CONSENT_AUTOMATED, "web", TUESDAY - timedelta(days=700)),
            Reason.CONSENT_EXPIRED,
        ),
        (
            Consent(ConsentBasis.CONSENT_AUTOMATED, "web", TUESDAY + timedelta(days=1)),
            Reason.NO_CONSENT,
        ),
        (
            Consent(ConsentBasis.CONSENT_AUTOMATED, "web", TUESDAY - timedelta(days=5), TUESDAY),
            Reason.CONSENT_WITHDRAWN,
        ),
        (
            Consent(ConsentBasis.CONSENT_AUTOMATED, "Google Maps", TUESDAY - timedelta(days=5)),
            Reason.NO_CONSENT,
        ),
    ],
)
def test_consent(consent, reason) -> None:
    assert answer(asked(lead=Lead("+34910000001", consent=consent))) is reason


@pytest.mark.parametrize(
    ("caller_id", "now", "reason"),
    [
        (None, TUESDAY, Reason.CALLER_ID_NOT_OWNED),
        (CallerId("+34600000099"), TUESDAY, Reason.CALLER_ID_TYPE),
        (CallerId("+34711000099"), TUESDAY, Reason.CALLER_ID_TYPE),
        (CallerId("+34910000099"), madrid(16, 11, 0, 0, 10), None),
        (CallerId("+34910000099"), madrid(19, 11, 0, 0, 10), Reason.CALLER_ID_TYPE),
        # By Madrid's day, which is two hours ahead of UTC's.
        (CallerId("+34910000099"), madrid(17, 0, 30, 0, 10), Reason.CALLER_ID_TYPE),
        (CallerId("+34400000012", Purpose.SERVICE), TUESDAY, Reason.CALLER_ID_PURPOSE),
    ],
)
def test_caller_ids(caller_id, now, reason) -> None:
    assert answer(asked(now, caller_id=caller_id)) is reason


def test_suppressions_of_both_scopes() -> None:
    assert answer(asked(suppressed=OptOutScope.TENANT)) is Reason.SUPPRESSED_TENANT
    assert answer(asked(suppressed=OptOutScope.PLATFORM)) is Reason.SUPPRESSED_PLATFORM


def test_no_call_without_an_approved_opening() -> None:
    agent = replace(asked().agent, opening=opening_for(FACTS, "Sofía"))
    assert answer(asked(agent=agent)) is Reason.OPENING_NOT_APPROVED


def test_a_decision_names_every_rule_it_passed_and_its_policy() -> None:
    decision = decide(asked(), Stage.DIAL)
    assert decision.allowed
    assert [rule.passed for rule in decision.rules] == [True] * len(decision.rules)
    assert decision.policy_version


def test_a_decision_can_be_verified_from_what_it_rests_on() -> None:
    decision = decide(asked(zone="Europe/Madrid"), Stage.DIAL)
    assert decision.inputs_hash == hashlib.sha256(decision.inputs.encode()).hexdigest()
    facts = json.loads(decision.inputs)
    canonical = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert canonical == decision.inputs
    assert facts == {
        "active_calls": 0,
        "agent": {
            "agent_id": "sofia",
            "opening_approved_at": "2026-11-24T10:00:00+00:00",
            "version": 1,
        },
        "caller_id": {"number": "+34400000012", "purpose": "commercial"},
        "lead": {
            "business_name": None,
            "consent": {
                "at": "2026-11-14T10:00:00+00:00",
                "basis": "consent_automated",
                "channel": None,
                "source": "formulario web",
                "withdrawn_at": None,
            },
            "contact_name": None,
            "lead_id": None,
            "municipality": None,
            "phone": "+34910000001",
            "subdivision": None,
            "timezone": "Europe/Madrid",
        },
        "now": "2026-11-24T10:00:00+00:00",
        "policy": {
            "consent_days": 365,
            "last_dial": "20:45:00",
            "only_400_from": "2026-10-17",
            "version": SPAIN.version,
            "window_from": "09:00:00",
        },
        "suppressed": None,
        "tenant": {
            "active": True,
            "concurrency": 5,
            "countries": ["+34"],
            "must_use_400": True,
            "tenant_id": "t",
        },
    }


def test_the_same_facts_give_the_same_hash_and_others_another() -> None:
    def hash_of(**changes) -> str:
        return decide(asked(**changes), Stage.DIAL).inputs_hash

    assert hash_of() == hash_of() == hash_of(now=TUESDAY.astimezone(CANARY))
    assert hash_of() != hash_of(active_calls=1)
    assert hash_of() != hash_of(suppressed=OptOutScope.TENANT)


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(
        lambda moment: moment.replace(tzinfo=UTC)
    ),
    st.sampled_from(["Europe/Madrid", "Atlantic/Canary", "America/Lima", None]),
)
def test_no_moment_outside_the_legal_window_is_ever_allowed(now, zone) -> None:
    if not decide(asked(now, "+34600000001", zone), Stage.DIAL).allowed:
        return
    for name in [zone] if zone in SPANISH_ZONES else ["Europe/Madrid", "Atlantic/Canary"]:
        local = now.astimezone(ZoneInfo(name))
        assert local.weekday() < 5
        assert (9, 0) <= (local.hour, local.minute) <= (20, 45)


def test_a_refusal_names_everything_that_stands_against_the_call() -> None:
    given = asked(madrid(28, 11, 0), lead=Lead("+34910000001"), suppressed=OptOutScope.TENANT)
    decision = decide(given, Stage.QUEUED)
    failed = [rule.detail for rule in decision.rules if not rule.passed]
    assert failed == ["SUPPRESSED_TENANT", "NO_CONSENT", "WEEKEND"]
    assert decision.reason is Reason.SUPPRESSED_TENANT
    assert decision.retry_at is None


def test_a_paused_tenant_calls_nobody() -> None:
    tenant = replace(asked().tenant, active=False)
    assert answer(asked(tenant=tenant)) is Reason.TENANT_PAUSED


def test_slots_that_are_all_taken_are_a_matter_of_seconds() -> None:
    decision = decide(asked(active_calls=5), Stage.DIAL)
    assert decision.reason is Reason.CONCURRENCY
    assert decision.retry_at is not None
    assert decision.retry_at - decision.decided_at < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("number", "bound", "free"),
    [
        ("+34400000012", True, True),
        ("+34910000099", False, True),
        ("+34900000099", False, True),
        ("+34510000099", False, True),
        ("+34600000099", False, False),
        ("+34806000099", False, False),
        ("+34700000099", False, False),
        ("+442079460000", False, False),
    ],
)
def test_which_numbers_a_tenant_may_show(number: str, bound: bool, free: bool) -> None:
    tenant = asked().tenant
    caller_id = CallerId(number)
    assert may_show(caller_id, tenant, TUESDAY) is bound
    assert may_show(caller_id, replace(tenant, must_use_400=False), TUESDAY) is free
