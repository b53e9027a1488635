"""Whether a webhook comes from Twilio: its signature over the public address and the form, blanks included.

The address is built from configuration and the raw path, never from a Host header of an inner hop.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

from twilio.request_validator import RequestValidator


class Form(dict[str, str]):
    """A form with repeated names, as Twilio's validator wants it."""

    def __init__(self, body: bytes) -> None:
        self.pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
        super().__init__(self.pairs)

    def getall(self, name: str) -> list[str]:
        return [value for key, value in self.pairs if key == name]


def is_signed(
    url: str, form: Form, headers: Mapping[str, str], auth_tokens: tuple[str, ...]
) -> bool:
    """True if one of `auth_tokens` signed this request; without a signature always False."""
    signature = headers.get("x-twilio-signature")
    if not signature:
        return False
    return any(RequestValidator(token).validate(url, form, signature) for token in auth_tokens)
