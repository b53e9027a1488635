"""The carrier's signature under the upgrade request."""

from __future__ import annotations

import pytest
from twilio.request_validator import RequestValidator

from media_service.phone.handshake import is_signed

URL = "wss://media.sofia.test/media"


def sign(url: str, auth_token: str = "token") -> str:
    return RequestValidator(auth_token).compute_signature(url, {})


@pytest.mark.parametrize(
    "signed",
    [
        URL,
        f"{URL}/",
        "wss://media.sofia.test:443/media",
        "wss://media.sofia.test:443/media/",
    ],
)
def test_every_variant_of_the_address_that_the_carrier_may_sign(signed: str) -> None:
    assert is_signed(URL, sign(signed), ("token",))


def test_while_the_token_rotates_both_sign() -> None:
    assert is_signed(URL, sign(URL, "old"), ("new", "old"))


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        "é",
        sign(URL, "another"),
        sign("https://media.sofia.test/media"),
        sign("wss://evil.test/media"),
    ],
)
def test_anything_else_is_not_signed(signature: str | None) -> None:
    assert not is_signed(URL, signature, ("token",))


def test_without_a_token_nothing_is_signed() -> None:
    assert not is_signed(URL, sign(URL), ())
