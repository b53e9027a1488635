"""Connection overrides: what is tried again, and what of a fragment is refused."""

from __future__ import annotations

import pytest

from local.carrier.overrides import BadOverride, Failure, Overrides, read_overrides


def test_by_default_only_a_connection_that_fails_is_tried_again() -> None:
    default = read_overrides("")
    assert default == Overrides()
    assert default.again(0, Failure.CONNECT)
    assert not default.again(0, Failure.READ)
    assert not default.again(503, None)


def test_a_policy_names_what_is_tried_again() -> None:
    policy = read_overrides("rc=3&rp=5xx,rt&ct=2000&rt=5000&tt=14000&e=dublin,frankfurt&sni=y")
    assert (policy.retries, policy.connect_s, policy.read_s, policy.total_s) == (3, 2, 5, 14)
    assert policy.again(0, Failure.READ)
    assert policy.again(503, None)
    assert not policy.again(0, Failure.CONNECT)
    assert not policy.again(404, None)


@pytest.mark.parametrize(
    ("fragment", "code"),
    [
        ("color=red", 11240),
        ("rc=6", 11241),
        ("rt=soon", 11241),
        ("sni=maybe", 11241),
        ("rp=6xx", 11242),
        ("e=atlantis", 11243),
        ("e=dublin,", 11243),
    ],
)
def test_what_is_not_understood_is_refused(fragment: str, code: int) -> None:
    with pytest.raises(BadOverride) as refusal:
        read_overrides(fragment)
    assert refusal.value.code == code
