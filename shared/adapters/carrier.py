"""The telephone carrier: Twilio's REST API behind the few things a call needs.

CarrierError
├── CarrierRefused      the carrier said no; the call does not exist
├── CarrierBusy         the request was not processed (429, connection refused); asking again is safe
│   └── CarrierLocked   our credentials are not accepted, freshly fetched ones neither; a person has to act
└── CarrierUnknown      no answer, or a 5xx: a call may exist; never dial again blindly
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import requests
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from shared.adapters.carrier_words import CarrierStatus, seconds
from shared.domain.errors import Unavailable

# For the connection, and again for each piece of the answer, which comes in one.
TIMEOUT_S = 5.0
REQUEST_S = 2 * TIMEOUT_S
_UNAUTHORIZED, _NOT_FOUND, _TOO_MANY, _SERVER_FAULT = 401, 404, 429, 500
_NOT_IN_PROGRESS = 21220
# The account's concurrent calls are exhausted: the call was not placed and may be later.
_CONCURRENCY = 10004
# A ValueError is an answer that is no JSON: a call may stand behind it.
_UNREADABLE = (requests.exceptions.RequestException, TwilioException, ValueError)
T = TypeVar("T")


def load_client() -> None:
    """Import what the client would import at its first request: 0.4 s in which nothing else of the process runs. For
    whoever dials, or carries calls."""
    importlib.import_module("twilio.rest.api.v2010.account.call")


class CarrierError(Unavailable):
    """Root of what the carrier can answer."""


class CarrierRefused(CarrierError):
    def __init__(self, code: int) -> None:
        super().__init__(f"the carrier refused the call (code {code})")
        self.code = code


class CarrierBusy(CarrierError):
    """Not processed; safe to ask again."""


class CarrierLocked(CarrierBusy):
    def __init__(self) -> None:
        super().__init__("the carrier does not accept our credentials: put new ones in its secret")


class CarrierUnknown(CarrierError):
    """The outcome is not known."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who we are to the carrier."""

    sid: str
    auth_token: str


def account_of(twilio: dict[str, str]) -> Account:
    """The account in the carrier's secret."""
    return Account(twilio["account_sid"], twilio["auth_token"])


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
    """The carrier's record. None where it does not say; `talk_s` is how long the call was answered."""

    sid: str
    status: CarrierStatus
    created_at: datetime | None = None
    ended_at: datetime | None = None
    talk_s: int | None = None


class Carrier:
    """Blocking, with a timeout on every request. Every method raises CarrierLocked where the credentials are not
    accepted: nothing was done then."""

    def __init__(self, account: Callable[[bool], Account], base_url: str | None = None) -> None:
        """`account` is asked before each request, so that a rotated token reaches a warm process; with True after the
        carrier has refused it: then a kept copy is not good enough."""
        self._account = account
        self._base_url = base_url
        self._built: tuple[Account, Client] | None = None

    def dial(self, order: DialOrder) -> str:
        """Place a call; gives the carrier's id. Raises CarrierRefused, CarrierBusy or CarrierUnknown. There is no
        idempotency key, so nothing is tried twice that may have been processed."""
        try:
            call = self._asked(
                lambda client: client.calls.create(
                    to=order.to_number,
                    from_=order.from_number,
                    twiml=order.twiml,
                    status_callback=order.status_callback,
                    status_callback_event=["initiated", "ringing", "answered", "completed"],
                    timeout=order.ring_s,
                    time_limit=order.limit_s,
                    **_machine_detection(order),
                )
            )
        except TwilioRestException as error:
            raise _dial_error(error) from error
        except requests.exceptions.ConnectionError as error:
            if _never_sent(error):
                raise CarrierBusy("the carrier could not be reached") from error
            raise CarrierUnknown("the connection broke after the request") from error
        except _UNREADABLE as error:
            raise CarrierUnknown("the carrier gave no answer that can be read") from error
        return str(call.sid)

    def hang_up(self, sid: str) -> None:
        """End a call in any state; one that is over already is fine. Raises CarrierUnknown."""
        self._update(sid, "completed")

    def cancel(self, sid: str) -> None:
        """End a call that is not answered yet; if somebody answered meanwhile it is hung up. Raises CarrierUnknown."""
        status = self._update(sid, "canceled")
        if status is not None and status.is_live:
            self._update(sid, "completed")

    def fetch(self, sid: str) -> CarrierCall | None:
        """The carrier's record, None if it knows no such call. Raises CarrierUnknown."""
        try:
            return _record(self._asked(lambda client: client.calls(sid).fetch()))
        except TwilioRestException as error:
            if error.status == _NOT_FOUND:
                return None
            raise CarrierUnknown(f"the carrier answered {error.status}") from error
        except _UNREADABLE as error:
            raise CarrierUnknown("the carrier gave no answer that can be read") from error

    def find(self, to_number: str, from_number: str, since: datetime) -> list[CarrierCall]:
        """Calls between two numbers that were created since, the oldest first; the way to settle a dial whose answer
        was lost. Raises CarrierUnknown."""
        try:
            calls = self._asked(lambda client: client.calls.list(to=to_number, limit=20))
            # The SDK calls the caller `_from`.
            found = [_record(call) for call in calls if call._from == from_number]
        except _UNREADABLE as error:
            raise CarrierUnknown("the carrier's list cannot be read") from error
        # The carrier's times have whole seconds.
        since = since.replace(microsecond=0)
        young = [call for call in found if call.created_at is None or call.created_at >= since]
        return sorted(young, key=lambda call: call.created_at or since)

    def _update(self, sid: str, status: str) -> CarrierStatus | None:
        """The state after it, None if the call was over already."""
        try:
            call = self._asked(lambda client: client.calls(sid).update(status=status))
            return CarrierStatus(str(call.status))
        except TwilioRestException as error:
            if error.status == _NOT_FOUND or error.code == _NOT_IN_PROGRESS:
                return None
            raise CarrierUnknown(f"the carrier answered {error.status}") from error
        except _UNREADABLE as error:
            raise CarrierUnknown("the carrier gave no answer that can be read") from error

    def _asked(self, request: Callable[[Client], T]) -> T:
        """The answer; a 401 was not processed, so that it is asked once more with the token as it is now."""
        for fresh in (False, True):
            try:
                return request(self._client(fresh))
            except TwilioException as error:
                if not _is_unauthorized(error):
                    raise
        raise CarrierLocked

    def _client(self, fresh: bool) -> Client:
        account = self._account(fresh)
        if self._built is None or self._built[0] != account:
            http_client = TwilioHttpClient(timeout=TIMEOUT_S)
            client = Client(account.sid, account.auth_token, http_client=http_client)
            if self._base_url is not None:
                client.api.base_url = self._base_url
            self._built = (account, client)
        return self._built[1]


def _machine_detection(order: DialOrder) -> dict[str, Any]:
    if order.machine_callback is None:
        return {}
    return {
        "machine_detection": "Enable",
        # The SDK would send True as "True".
        "async_amd": "true",
        "async_amd_status_callback": order.machine_callback,
    }


def _dial_error(error: TwilioRestException) -> CarrierError:
    if error.status == _TOO_MANY or error.code == _CONCURRENCY:
        return CarrierBusy("the carrier takes no more requests now")
    if error.status >= _SERVER_FAULT:
        return CarrierUnknown(f"the carrier answered {error.status}")
    return CarrierRefused(error.code or error.status)


def _never_sent(error: requests.exceptions.ConnectionError) -> bool:
    """Whether no connection came about, so that the carrier cannot have seen the request."""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, NewConnectionError | ConnectTimeoutError)


def _is_unauthorized(error: TwilioException) -> bool:
    # Pages fail with the base class, which carries the response.
    if isinstance(error, TwilioRestException):
        return bool(error.status == _UNAUTHORIZED)
    return any(getattr(part, "status_code", None) == _UNAUTHORIZED for part in error.args)


def _record(call: Any) -> CarrierCall:
    return CarrierCall(
        sid=str(call.sid),
        status=CarrierStatus(str(call.status)),
        created_at=call.date_created,
        ended_at=call.end_time,
        talk_s=seconds(call.duration),
    )
