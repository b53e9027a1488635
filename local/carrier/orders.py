"""Orders for calls: what the form of a creation must hold, refused as Twilio refuses it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from local.carrier import form_reading as fields
from local.carrier.address import Address
from local.carrier.detection import DetectionMode, DetectionOrder
from local.carrier.errors import Refused
from local.carrier.form_reading import Form
from local.carrier.recordings import RECORDING_EVENTS, RecordingOrder
from local.carrier.settings import CarrierSettings

EVENTS = frozenset({"initiated", "ringing", "answered", "completed"})
E164 = re.compile(r"^\+[1-9]\d{6,14}\Z")
MAX_TWIML = 4_000
_BAD_URL, _BAD_DETECTION = 21205, 21234
_MAX_RING_S = 600
_MAX_CALL_S = 86_400
_DIGITS = re.compile(r"^[0-9A-D#*wW]{1,32}\Z")


@dataclass(frozen=True, slots=True)
class CallOrder:
    """A validated order. `twiml` is None where a document is fetched. `parent_sid` is set for the second leg of a
    `<Dial>`. With `has_bad_events` the call takes place and nobody is told."""

    to_number: str
    from_number: str
    twiml: str | None = None
    address: Address | None = None
    status_callback: Address | None = None
    events: frozenset[str] = frozenset({"completed"})
    ring_s: int = 60
    limit_s: int = 14_400
    detection: DetectionOrder | None = None
    recorded: RecordingOrder | None = None
    parent_sid: str | None = None

    @property
    def has_bad_events(self) -> bool:
        return not self.events <= EVENTS


def call_order(settings: CarrierSettings, form: Form) -> CallOrder:
    """Raises Refused."""
    to_number, from_number = _numbers(settings, form)
    address, twiml = document_address(form), fields.text(form, "Twiml")
    if address is None:
        if not twiml:
            raise Refused(400, _BAD_URL, "Url parameter is required.")
        check_twiml(twiml)
    digits = fields.text(form, "SendDigits")
    if digits is not None and not _DIGITS.match(digits):
        raise Refused(400, fields.INVALID_PARAMETER, "SendDigits takes 32 of 0-9 A-D # * w W.")
    detection = _detection(form)
    return CallOrder(
        to_number=to_number,
        from_number=from_number,
        # With both, Twiml is ignored.
        twiml=None if address else twiml,
        address=address,
        status_callback=fields.callback(form, "StatusCallback"),
        events=frozenset(str(v) for v in form.getall("StatusCallbackEvent", ["completed"])),
        ring_s=fields.number(form, "Timeout", 60, 1, _MAX_RING_S),
        limit_s=time_limit(form) or 14_400,
        # Digits to be dialled switch the detection off.
        detection=detection if digits is None else None,
        recorded=recording_order(form) if fields.flag(form, "Record") else None,
    )


def check_twiml(twiml: str) -> None:
    """Raises Refused."""
    if len(twiml) > MAX_TWIML:
        raise Refused(400, _BAD_URL, "Twiml must be at most 4000 characters.")


def time_limit(form: Form) -> int | None:
    """Seconds a call may last, where the form says so; raises Refused."""
    return fields.number(form, "TimeLimit", 0, 1, _MAX_CALL_S) or None


def document_address(form: Form) -> Address | None:
    """Where the form wants the document fetched, if it does; raises Refused."""
    url, fallback_url = fields.text(form, "Url"), fields.text(form, "FallbackUrl")
    if url is None:
        return None
    for given in (url, fallback_url):
        if given is not None and not given.startswith(("https://", "http://")):
            raise Refused(400, _BAD_URL, "Url is not a valid URL.")
    fallback_method = fields.method(form, "FallbackMethod")
    fallback = Address(fallback_url, fallback_method) if fallback_url else None
    return Address(url, fields.method(form, "Method"), fallback)


def recording_order(form: Form) -> RecordingOrder:
    """How a creation or the Recordings resource wants to record; raises Refused."""
    fields.choice(form, "Trim", "trim-silence", ("trim-silence", "do-not-trim"))
    channels = fields.choice(form, "RecordingChannels", "mono", ("mono", "dual"))
    return RecordingOrder(
        channels=2 if channels == "dual" else 1,
        track=fields.choice(form, "RecordingTrack", "both", ("inbound", "outbound", "both")),
        callback=fields.callback(form, "RecordingStatusCallback"),
        events=fields.events(form, "RecordingStatusCallbackEvent", RECORDING_EVENTS),
    )


def _detection(form: Form) -> DetectionOrder | None:
    def within(name: str, default: int, least: int, most: int) -> int:
        return fields.number(form, name, default, least, most, _BAD_DETECTION)

    timeout_s = within("MachineDetectionTimeout", 30, 3, 59)
    silence_ms = within("MachineDetectionSilenceTimeout", 5_000, 2_000, 10_000)
    within("MachineDetectionSpeechThreshold", 2_400, 1_000, 6_000)
    within("MachineDetectionSpeechEndThreshold", 1_200, 500, 5_000)
    is_async = fields.flag(form, "AsyncAmd", _BAD_DETECTION)
    callback = fields.callback(form, "AsyncAmdStatusCallback")
    if fields.text(form, "MachineDetection") is None:
        return None
    mode = fields.choice(form, "MachineDetection", "", list(DetectionMode), _BAD_DETECTION)
    return DetectionOrder(
        DetectionMode(mode),
        is_async,
        # The verdict is only ever posted, whatever method is asked for.
        Address(callback.url) if callback else None,
        timeout_s * 1_000,
        silence_ms,
    )


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
