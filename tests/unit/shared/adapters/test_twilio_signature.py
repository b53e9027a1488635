"""Signatures as Twilio makes them; each odd case of a form, and everything that must not pass."""

from __future__ import annotations

import base64
import hashlib
import hmac
from urllib.parse import quote_plus

import pytest

from shared.adapters.twilio_signature import Form, is_signed

URL = "https://api.sofia.test/twilio/calls/C/1/status"
PAIRS = [
    ("CallSid", "CA1234567890ABCDE"),
    ("CallStatus", "completed"),
    ("CallerName", ""),
    ("To", "+34600000001"),
    ("Note", " a blank kept "),
]


def body(pairs: list[tuple[str, str]]) -> bytes:
    return "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in pairs).encode()


def signature(url: str, pairs: list[tuple[str, str]], token: str = "12345") -> str:
    """By the carrier's documentation: the URL, then names in byte order each with its distinct values in order."""
    names: dict[str, set[str]] = {}
    for name, value in pairs:
        names.setdefault(name, set()).add(value)
    text = url + "".join(n + v for n in sorted(names) for v in sorted(names[n]))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def check(sign: str | None, pairs: list[tuple[str, str]] = PAIRS, url: str = URL) -> bool:
    headers = {"x-twilio-signature": sign} if sign is not None else {}
    return is_signed(url, Form(body(pairs)), headers, ("12345", "next"))


def test_the_published_vector() -> None:
    pairs = [
        ("CallSid", "CA1234567890ABCDE"),
        ("Caller", "+14158675310"),
        ("Digits", "1234"),
        ("From", "+14158675310"),
        ("To", "+18005551212"),
    ]
    assert check("L/OH5YylLD5NRKLltdqwSvS0BnU=", pairs, "https://example.com/myapp.php?foo=1&bar=2")


def test_blank_and_padded_values_count() -> None:
    assert check(signature(URL, PAIRS))
    without_blank = [pair for pair in PAIRS if pair[1]]
    assert not check(signature(URL, without_blank))


def test_a_name_may_come_twice() -> None:
    pairs = [*PAIRS, ("Digits", "2"), ("Digits", "1")]
    assert check(signature(URL, pairs), pairs)


def test_while_a_token_is_rotated_both_may_sign() -> None:
    assert check(signature(URL, PAIRS, "next"))
    assert not check(signature(URL, PAIRS, "old"))


@pytest.mark.parametrize(
    "sign", [None, "", "x", signature(URL.replace("https", "http"), PAIRS), signature(URL, [])]
)
def test_everything_else_is_refused(sign: str | None) -> None:
    assert not check(sign)


def test_a_changed_parameter_is_refused() -> None:
    changed = [("CallStatus", "busy") if pair[0] == "CallStatus" else pair for pair in PAIRS]
    assert not check(signature(URL, PAIRS), changed)


def test_no_token_signs_nothing() -> None:
    form = Form(body(PAIRS))
    assert not is_signed(URL, form, {"x-twilio-signature": signature(URL, PAIRS)}, ())
