"""Tickets for streams."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.stream_token import StreamToken, TokenRefused, verified

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
TOKEN = StreamToken("01CALL", 1, 2, NOW + timedelta(seconds=60))


def test_a_token_survives_the_way() -> None:
    assert verified(TOKEN.signed(b"k"), (b"k",), NOW) == TOKEN


def test_the_previous_key_still_opens() -> None:
    assert verified(TOKEN.signed(b"old"), (b"new", b"old"), NOW) == TOKEN


@pytest.mark.parametrize(
    ("text", "now", "why"),
    [
        ("nonsense", NOW, "malformed"),
        (TOKEN.signed(b"other"), NOW, "signature"),
        (TOKEN.signed(b"k").replace("01CALL", "02CALL"), NOW, "signature"),
        (TOKEN.signed(b"k"), NOW + timedelta(seconds=60), "time"),
    ],
)
def test_refusals_say_why(text, now, why) -> None:
    with pytest.raises(TokenRefused, match=why):
        verified(text, (b"k",), now)
