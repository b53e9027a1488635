"""Tickets for streams."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.stream_token import StreamToken, TokenRefused, verified

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
TOKEN = StreamToken("01CALL", 1, 2, NOW + timedelta(seconds=60))


def signed(payload: str) -> str:
    digest = hmac.new(b"k", payload.encode(), hashlib.sha256).digest()[:16]
    return f"{payload}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def test_a_token_survives_the_way() -> None:
    assert verified(TOKEN.signed(b"k"), (b"k",), NOW) == TOKEN


def test_the_previous_key_still_opens() -> None:
    assert verified(TOKEN.signed(b"old"), (b"new", b"old"), NOW) == TOKEN


@pytest.mark.parametrize(
    ("text", "now", "why"),
    [
        ("nonsense", NOW, "malformed"),
        (TOKEN.signed(b"other"), NOW, "signature"),
        (TOKEN.signed(b"k")[:-1] + "é", NOW, "malformed"),
        (TOKEN.signed(b"k")[:-1] + "\udcff", NOW, "malformed"),
        (signed("01CALL.one.2.9"), NOW, "malformed"),
        (signed("01CALL.1.2.9999999999999999"), NOW, "malformed"),
        (TOKEN.signed(b"k").replace("01CALL", "02CALL"), NOW, "signature"),
        (TOKEN.signed(b"k"), NOW + timedelta(seconds=60), "time"),
    ],
)
def test_refusals_say_why(text, now, why) -> None:
    with pytest.raises(TokenRefused, match=why):
        verified(text, (b"k",), now)
