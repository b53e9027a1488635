"""Fields of a form at the REST door, refused where Twilio would refuse them."""

from __future__ import annotations

import urllib.parse
from collections.abc import Collection
from typing import Any

from multidict import MultiDictProxy

from local.carrier.address import Address
from local.carrier.errors import Refused

# "Invalid parameter": where the reference names no code of its own.
INVALID_PARAMETER, BAD_STATUS_CALLBACK = 20001, 21609
_URL_LENGTH_MAX = 4_000
Form = MultiDictProxy[Any]


def text(form: Form, name: str) -> str | None:
    """The field's text; None where it is missing or empty."""
    value = form.get(name)
    return str(value) if value else None


def number(
    form: Form, name: str, default: int, least: int, most: int, code: int = INVALID_PARAMETER
) -> int:
    """A whole number in a range; raises Refused with `code`."""
    found = text(form, name)
    if found is None:
        return default
    if not (found.isascii() and found.isdigit()) or not least <= int(found) <= most:
        raise Refused(400, code, f"{name} must be a whole number from {least} to {most}.")
    return int(found)


def choice(
    form: Form, name: str, default: str, values: Collection[str], code: int = INVALID_PARAMETER
) -> str:
    """One of `values`; raises Refused with `code`."""
    found = text(form, name) or default
    if found not in values:
        raise Refused(400, code, f"{name} must be one of: {', '.join(sorted(values))}.")
    return found


def flag(form: Form, name: str, code: int = INVALID_PARAMETER) -> bool:
    """`true` or `false`, exactly; missing is false. Raises Refused."""
    return choice(form, name, "false", ("true", "false"), code) == "true"


def method(form: Form, name: str) -> str:
    """GET or POST, which is the default; raises Refused."""
    return choice(form, name, "POST", ("GET", "POST"))


def callback(form: Form, name: str) -> Address | None:
    """The address in `name` and `<name>Method`; raises Refused."""
    url = text(form, name)
    if url is None:
        return None
    if not _is_callback(url):
        raise Refused(400, BAD_STATUS_CALLBACK, f"{name} is not a valid URL.")
    return Address(url, method(form, f"{name}Method"))


def _is_callback(url: str) -> bool:
    """Hosts with an underscore are none to Twilio."""
    try:
        parts = urllib.parse.urlsplit(url)
    except ValueError:
        return False
    host = parts.hostname or ""
    is_web = parts.scheme in ("http", "https")
    return is_web and bool(host) and "_" not in host and len(url) <= _URL_LENGTH_MAX


def events(form: Form, name: str, values: Collection[str]) -> frozenset[str]:
    """Repeated or joined by spaces; `completed` if missing. Raises Refused for unknown ones."""
    found = frozenset(
        event for value in form.getall(name, ["completed"]) for event in str(value).split()
    )
    if not found <= frozenset(values):
        raise Refused(400, INVALID_PARAMETER, f"{name} must be of: {', '.join(sorted(values))}.")
    return found
