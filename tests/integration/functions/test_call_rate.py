"""A minute's worth of calls and not one more, whoever asks at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from ulid import ULID

from local.cloud.template import Template
from shared.adapters import aws_clients
from shared.adapters.call_rate import CallRate
from shared.domain.errors import TooManyCalls

NOW = datetime(2026, 11, 24, 9, 40, tzinfo=UTC)


@pytest.fixture
def rate(template: Template) -> CallRate:
    return CallRate(aws_clients.dynamodb(), template.physical["LiveTable"])


def taken(rate: CallRate, tenant_id: str, now: datetime = NOW) -> bool:
    try:
        rate.take(tenant_id, 12, now)
    except TooManyCalls:
        return False
    return True


def test_a_burst_takes_what_a_minute_has(rate: CallRate) -> None:
    tenant_id = str(ULID())
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: taken(rate, tenant_id), range(30))) == 12


def test_a_refusal_says_when_and_is_right(rate: CallRate) -> None:
    tenant_id = str(ULID())
    assert all(taken(rate, tenant_id) for _ in range(12))
    with pytest.raises(TooManyCalls) as refusal:
        rate.take(tenant_id, 12, NOW)
    wait_s = refusal.value.retry_after_s
    assert wait_s == 5
    assert not taken(rate, tenant_id, NOW + timedelta(seconds=wait_s - 1))
    assert taken(rate, tenant_id, NOW + timedelta(seconds=wait_s))
    assert not taken(rate, tenant_id, NOW + timedelta(seconds=wait_s))


def test_what_was_not_used_does_not_pile_up(rate: CallRate) -> None:
    tenant_id = str(ULID())
    taken(rate, tenant_id)
    later = NOW + timedelta(hours=3)
    assert sum(taken(rate, tenant_id, later) for _ in range(20)) == 12


def test_tenants_do_not_share(rate: CallRate) -> None:
    one, other = str(ULID()), str(ULID())
    assert sum(taken(rate, one) for _ in range(13)) == 12
    assert taken(rate, other)
