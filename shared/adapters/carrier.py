"""The telephone carrier: Twilio's REST API behind the few things a call needs.

CarrierError
├── CarrierRefused   the carrier said no; the call does not exist
├── CarrierBusy      the request was not processed (429, connection refused); asking again is safe
└── CarrierUnknown   no answer, or a 5xx: a call may exist; never dial again blindly
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import requests
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from shared.domain.errors import Unavailable

TIMEOUT_S = 5.0
_TOO_MANY, _SERVER_FAULT, _NOT_FOUND = 429, 500, 404
_NOT_IN_PROGRESS = 21220


class CarrierError(Unavailable):
    """Root of what the carrier can answer."""


class CarrierRefused(CarrierError):
    def __init__(self, code: int) -> None:
        super().__init__(f"the carrier refused the call (code {code})")
        self.code = code


class CarrierBusy(CarrierError):
    """Not processed; safe to ask again."""


class CarrierUnknown(CarrierError):
    """The outcome is not known."""


class CarrierStatus(StrEnum):
    """A call's state by the carrier's API."""

    QUEUED = "queued"
    RINGING = "ringing"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    BUSY = "busy"
    FAILED = "failed"
    NO_ANSWER = "no-answer"
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True)
class DialOrder:
    """A call to be placed. `twiml` runs at the answer; `machine_callback` is None where nobody wants a verdict."""

    to_number: str
    from_number: str
    twiml: str
    status_callback: str
    machine_callback: str | None
    ring_s: int
    limit_s: int


@dataclass(frozen=True, slots=True)
class CarrierCall:
    sid: str
    status: CarrierStatus


class Carrier:
    """Blocking, with a timeout on every request."""

    def __init__(self, account_sid: str, auth_token: str, base_url: str | None = None) -> None:
        self._client = Client(
            account_sid, auth_token, http_client=TwilioHttpClient(timeout=TIMEOUT_S)
        )
        if base_url is not None:
            self._client.api.base_url = base_url

    def dial(self, order: DialOrder) -> str:
        """Place a call; gives the carrier's id. Raises CarrierRefused, CarrierBusy or CarrierUnknown. There is no
        idempotency key, so nothing is tried twice here."""
        machine = (
            {
                "machine_detection": "Enable",
                # The SDK would send True as "True".
                "async_amd": "true",
                "async_amd_status_callback": order.machine_callback,
            }
            if order.machine_callback
            else {}
        )
        try:
            call = self._client.calls.create(
                to=order.to_number,
                from_=order.from_number,
                twiml=order.twiml,
                status_callback=order.status_callback,
                status_callback_event=["initiated", "ringing", "answered", "completed"],
                timeout=order.ring_s,
                time_limit=order.limit_s,
                **machine,
            )
        except TwilioRestException as error:
            if error.status == _TOO_MANY:
                raise CarrierBusy("the carrier takes no more requests now") from error
            if error.status >= _SERVER_FAULT:
                raise CarrierUnknown(f"the carrier answered {error.status}") from error
            raise CarrierRefused(error.code or error.status) from error
        except requests.exceptions.ConnectionError as error:
            if isinstance(error, requests.exceptions.ConnectTimeout) or "refused" in str(error):
                raise CarrierBusy("the carrier could not be reached") from error
            raise CarrierUnknown("the connection broke after the request") from error
        except requests.exceptions.RequestException as error:
            raise CarrierUnknown("the carrier did not answer") from error
        return str(call.sid)

    def hang_up(self, sid: str) -> None:
        """End a call in any state; one that is over already is fine. Raises CarrierUnknown."""
        self._update(sid, "completed")

    def cancel(self, sid: str) -> None:
        """End a call that is not answered yet."""
        self._update(sid, "canceled")

    def fetch(self, sid: str) -> CarrierCall | None:
        """The carrier's record, None if it knows no such call. Raises CarrierUnknown."""
        try:
            call = self._client.calls(sid).fetch()
        except TwilioRestException as error:
            if error.status == _NOT_FOUND:
                return None
            raise CarrierUnknown(f"the carrier answered {error.status}") from error
        except requests.exceptions.RequestException as error:
            raise CarrierUnknown("the carrier did not answer") from error
        return CarrierCall(str(call.sid), CarrierStatus(str(call.status)))

    def find(self, to_number: str, since: datetime) -> list[CarrierCall]:
        """Calls to a number that were created since; the way to settle a dial whose answer was lost."""
        try:
            calls = self._client.calls.list(to=to_number, limit=20)
        except (TwilioException, requests.exceptions.RequestException) as error:
            # Pages fail with the base class, not with TwilioRestException.
            raise CarrierUnknown("the carrier's list cannot be read") from error
        return [
            CarrierCall(str(call.sid), CarrierStatus(str(call.status)))
            for call in calls
            if call.date_created is None or call.date_created >= since.replace(microsecond=0)
        ]

    def _update(self, sid: str, status: str) -> None:
        try:
            self._client.calls(sid).update(status=status)
        except TwilioRestException as error:
            if error.status == _NOT_FOUND or error.code == _NOT_IN_PROGRESS:
                return
            raise CarrierUnknown(f"the carrier answered {error.status}") from error
        except requests.exceptions.RequestException as error:
            raise CarrierUnknown("the carrier did not answer") from error
