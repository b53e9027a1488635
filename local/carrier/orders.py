"""Orders for calls: what the form of a creation must hold, refused as Twilio refuses it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from multidict import MultiDictProxy

from local.carrier.errors import Refused
from local.carrier.settings import CarrierSettings

EVENTS = frozenset({"initiated", "ringing", "answered", "completed"})
E164 = re.compile(r"^\+[1-9]\d{6,14}$")
MAX_TWIML = 4_000
_MAX_RING_S = 600
_MAX_CALL_S = 86_400
_DETECTION_RANGES = {
    "MachineDetectionTimeout": (3, 59),
    "MachineDetectionSpeechThreshold": (1_000, 6_000),
    "MachineDetectionSpeechEndThreshold": (500, 5_000),
    "MachineDetectionSilenceTimeout": (2_000, 10_000),
}
Form = MultiDictProxy[Any]


@dataclass(frozen=True, slots=True)
class Address:
    """Where a document is fetched, and what is asked instead when that fails."""

    url: str
    method: str = "POST"
    fallback_url: str | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """A whole call is to be recorded."""

    channels: int
    callback: str | None


@dataclass(frozen=True, slots=True)
class CallRequest:
    """A validated order. `twiml` is None where a document is fetched. `parent_sid` is set for the second leg of a
    `<Dial>`."""

    to_number: str
    from_number: str
    twiml: str | None = None
    address: Address | None = None
    status_callback: str | None = None
    events: frozenset[str] = frozenset({"completed"})
    ring_s: int = 60
    limit_s: int = 14_400
    machine_detection: bool = False
    machine_async: bool = False
    machine_callback: str | None = None
    recorded: Recorded | None = None
    parent_sid: str | None = None


def call_request(settings: CarrierSettings, form: Form) -> CallRequest:
    """Raises Refused."""
    to_number, from_number = _numbers(settings, form)
    url, twiml = _text(form, "Url"), _text(form, "Twiml")
    if not url and not twiml:
        raise Refused(400, 21205, "Url parameter is required.")
    address = _address(url, form) if url else None
    if address is None:
        check_twiml(twiml or "")
    detection = _text(form, "MachineDetection")
    if detection not in (None, "Enable", "DetectMessageEnd"):
        raise Refused(400, 21234, "Invalid MachineDetection value.")
    for name, (least, most) in _DETECTION_RANGES.items():
        _number(form, name, least, least, most, 21234)
    callback = _text(form, "StatusCallback")
    if callback is not None and not callback.startswith(("https://", "http://")):
        raise Refused(400, 21609, "Invalid StatusCallback url.")
    digits = _text(form, "SendDigits")
    return CallRequest(
        to_number=to_number,
        from_number=from_number,
        # With both, Twiml is ignored.
        twiml=None if address else twiml,
        address=address,
        status_callback=callback,
        events=frozenset(str(v) for v in form.getall("StatusCallbackEvent", ["completed"])),
        ring_s=_number(form, "Timeout", 60, 1, _MAX_RING_S, 21217),
        limit_s=_number(form, "TimeLimit", 14_400, 1, _MAX_CALL_S, 20001),
        # Digits to be dialled switch the detection off.
        machine_detection=detection is not None and digits is None,
        machine_async=(_text(form, "AsyncAmd") or "").lower() == "true",
        machine_callback=_text(form, "AsyncAmdStatusCallback"),
        recorded=_recorded(form),
    )


def check_twiml(twiml: str) -> None:
    if len(twiml) > MAX_TWIML:
        raise Refused(400, 21205, "Twiml must be at most 4000 characters.")


def _numbers(settings: CarrierSettings, form: Form) -> tuple[str, str]:
    to_number, from_number = str(form.get("To", "")), str(form.get("From", ""))
    if not E164.match(to_number) or to_number == from_number:
        raise Refused(400, 21211, "The phone number you are attempting to call is not valid.")
    if not from_number:
        raise Refused(400, 21213, "A 'From' phone number is required.")
    if not E164.match(from_number):
        raise Refused(400, 21212, "The 'From' number is not a valid phone number.")
    if from_number not in settings.owned_numbers:
        raise Refused(400, 21210, "The source phone number is not yet verified for your account.")
    check_destination(settings, to_number)
    return to_number, from_number


def check_destination(settings: CarrierSettings, number: str) -> None:
    """Raises Refused for blocked numbers and countries that the account may not call."""
    if number in settings.blocked_numbers:
        raise Refused(403, 21216, "Account not allowed to call this number.")
    if not number.startswith(settings.allowed_prefixes):
        raise Refused(400, 21215, "Account not authorized to call this destination.")


def _address(url: str, form: Form) -> Address:
    if not url.startswith(("https://", "http://")):
        raise Refused(400, 21205, "Url is not a valid URL.")
    method = (_text(form, "Method") or "POST").upper()
    if method not in ("GET", "POST"):
        raise Refused(400, 21205, "Method must be GET or POST.")
    return Address(url, method, _text(form, "FallbackUrl"))


def address_of(form: Form) -> Address | None:
    """The address in the form of an update, if there is one; raises Refused."""
    url = _text(form, "Url")
    return _address(url, form) if url else None


def _recorded(form: Form) -> Recorded | None:
    if (_text(form, "Record") or "false").lower() != "true":
        return None
    channels = 2 if _text(form, "RecordingChannels") == "dual" else 1
    return Recorded(channels, _text(form, "RecordingStatusCallback"))


def _text(form: Form, name: str) -> str | None:
    value = form.get(name)
    return str(value) if value else None


def _number(form: Form, name: str, default: int, least: int, most: int, code: int) -> int:
    text = _text(form, name)
    if text is None:
        return default
    if not text.isdigit() or not least <= int(text) <= most:
        raise Refused(400, code, f"{name} is out of range.")
    return int(text)
