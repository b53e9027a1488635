"""Asking a store again."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from media_service import patience
from media_service.patience import patiently
from shared.domain.errors import Refused, Unavailable

TROUBLES = [
    Unavailable("busy"),
    ClientError({"Error": {"Code": "ThrottlingException"}}, "PutItem"),
    EndpointConnectionError(endpoint_url="https://x"),
]


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "FIRST_PAUSE_S", 0.001)


async def test_it_is_asked_until_it_answers() -> None:
    troubles = list(TROUBLES)

    async def ask() -> str:
        if troubles:
            raise troubles.pop()
        return "here"

    assert await patiently(ask, 5.0) == "here"


async def test_after_its_time_the_trouble_is_raised() -> None:
    asked = 0

    async def ask() -> str:
        nonlocal asked
        asked += 1
        raise Unavailable(f"busy {asked}")

    with pytest.raises(Unavailable) as last:
        await patiently(ask, 0.01)
    assert asked > 1
    assert str(last.value) == f"busy {asked}"


async def test_what_asking_again_does_not_help_is_raised_at_once() -> None:
    asked = 0

    async def ask() -> str:
        nonlocal asked
        asked += 1
        raise Refused("no")

    with pytest.raises(Refused):
        await patiently(ask, 5.0)
    assert asked == 1
