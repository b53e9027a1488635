"""The ticket with which a phone line's stream enters the media service.

The dialer puts one into the TwiML for each leg. It is signed, bound to call, attempt and leg, and valid for a time;
that it is used once is the store's business (`shared/adapters/leases.py`).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.domain.errors import SofiaError

_SIGNATURE_BYTES = 16


class TokenRefused(SofiaError):
    """The token is forged, damaged or out of time; the text says which, for the operator."""


@dataclass(frozen=True, slots=True)
class StreamToken:
    """`leg` counts the streams of one attempt from 1; `expires_at` is aware."""

    call_id: str
    attempt: int
    leg: int
    expires_at: datetime

    def signed(self, secret: bytes) -> str:
        """As text: fields and a truncated HMAC-SHA256 (128 bits), well under the 500 characters of a stream
        parameter."""
        payload = f"{self.call_id}.{self.attempt}.{self.leg}.{int(self.expires_at.timestamp())}"
        return f"{payload}.{_signature(payload, secret)}"


def verified(text: str, secrets: tuple[bytes, ...], now: datetime) -> StreamToken:
    """The token in `text`, if one of `secrets` signed it and its time has not passed; raises TokenRefused."""
    parts = text.split(".")
    if len(parts) != 5 or not text.isascii():
        raise TokenRefused("the stream token is malformed")
    payload = ".".join(parts[:4])
    if not any(hmac.compare_digest(parts[4], _signature(payload, secret)) for secret in secrets):
        raise TokenRefused("the stream token's signature is wrong")
    call_id, attempt, leg, expires_s = parts[:4]
    try:
        expires_at = datetime.fromtimestamp(int(expires_s), UTC)
        token = StreamToken(call_id, int(attempt), int(leg), expires_at)
    except (ValueError, OverflowError, OSError) as error:
        raise TokenRefused("the stream token is malformed") from error
    if now >= token.expires_at:
        raise TokenRefused("the stream token is out of time")
    return token


def _signature(payload: str, secret: bytes) -> str:
    digest = hmac.new(secret, payload.encode(), hashlib.sha256).digest()[:_SIGNATURE_BYTES]
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
