"""Whether a stream's upgrade request comes from the carrier: its signature over the `wss://` address, before 101.

Twilio signs the address as it stands in the TwiML; a trailing slash or the default port have been seen to differ, and
each variant needs the secret as much as the plain one.
"""

from __future__ import annotations

import hmac

from twilio.request_validator import RequestValidator


def is_signed(public_url: str, signature: str | None, auth_tokens: tuple[str, ...]) -> bool:
    """True if one of `auth_tokens` signed one of the variants of `public_url`."""
    if not signature:
        return False
    for token in auth_tokens:
        validator = RequestValidator(token)
        for url in _variants(public_url):
            expected = validator.compute_signature(url, {})
            if hmac.compare_digest(expected.encode(), signature.encode()):
                return True
    return False


def _variants(url: str) -> list[str]:
    other = url[:-1] if url.endswith("/") else url + "/"
    return [variant for plain in (url, other) for variant in (plain, _with_port(plain))]


def _with_port(url: str) -> str:
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return url if ":" in host else f"{scheme}://{host}:443{slash}{path}"
