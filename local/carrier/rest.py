"""The REST side: what the unmodified SDK asks for, refused as Twilio refuses it."""

from __future__ import annotations

import base64
import re
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from aiohttp import web
from multidict import MultiDictProxy

from local.carrier.call import EVENTS, CallRequest, EmulatedCall

if TYPE_CHECKING:
    from local.carrier.carrier import Carrier

_E164 = re.compile(r"^\+[1-9]\d{6,14}$")
MAX_TWIML = 4_000
_MAX_RING_S = 600


class Refused(Exception):
    """An error answer with Twilio's code."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def routes(carrier: Carrier) -> web.Application:
    """The application behind `/2010-04-01/Accounts/{account}`."""
    app = web.Application(middlewares=[_errors(carrier)])
    base = "/2010-04-01/Accounts/{account}"

    async def create(request: web.Request) -> web.Response:
        return await _create(carrier, request)

    async def fetch(request: web.Request) -> web.Response:
        return web.json_response(call_body(carrier, _find(carrier, request)))

    async def update(request: web.Request) -> web.Response:
        return await _update(carrier, request)

    async def page(request: web.Request) -> web.Response:
        return _page(carrier, request)

    async def notifications(request: web.Request) -> web.Response:
        return _notifications(carrier, request)

    app.router.add_post(f"{base}/Calls.json", create)
    app.router.add_get(f"{base}/Calls.json", page)
    app.router.add_get(f"{base}/Calls/{{sid}}.json", fetch)
    app.router.add_post(f"{base}/Calls/{{sid}}.json", update)
    app.router.add_get(f"{base}/Calls/{{sid}}/Notifications.json", notifications)
    return app


def _errors(carrier: Carrier) -> Any:
    @web.middleware
    async def middleware(request: web.Request, handler: Any) -> web.StreamResponse:
        try:
            _authenticate(carrier, request)
            response: web.StreamResponse = await handler(request)
            return response
        except Refused as refusal:
            return _error(refusal.status, refusal.code, str(refusal))
        except web.HTTPNotFound:
            return _error(404, 20404, "The requested resource was not found")

    return middleware


def _authenticate(carrier: Carrier, request: web.Request) -> None:
    settings = carrier.settings
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    wanted = f"{settings.account_sid}:{settings.auth_token}"
    if scheme != "Basic" or base64.b64encode(wanted.encode()).decode() != encoded:
        raise Refused(401, 20003, "Authenticate")


async def _create(carrier: Carrier, request: web.Request) -> web.Response:
    if carrier.takes_too_many():
        raise Refused(429, 20429, "Too Many Requests")
    form = await request.post()
    wanted = _request(carrier, form)
    events = {str(value) for value in form.getall("StatusCallbackEvent", ["completed"])}
    call = carrier.place(wanted, callbacks_broken=not events <= EVENTS)
    if carrier.takes_failure():
        raise Refused(500, 20500, "Internal Server Error")
    return web.json_response(call_body(carrier, call), status=201)


def _request(carrier: Carrier, form: MultiDictProxy[Any]) -> CallRequest:
    settings = carrier.settings
    to_number, from_number = str(form.get("To", "")), str(form.get("From", ""))
    if not _E164.match(to_number) or to_number == from_number:
        raise Refused(400, 21211, "The phone number you are attempting to call is not valid.")
    if not from_number:
        raise Refused(400, 21213, "A 'From' phone number is required.")
    if not _E164.match(from_number):
        raise Refused(400, 21212, "The 'From' number is not a valid phone number.")
    if from_number not in settings.owned_numbers:
        raise Refused(400, 21210, "The source phone number is not yet verified for your account.")
    if to_number in settings.blocked_numbers:
        raise Refused(403, 21216, "Account not allowed to call this number.")
    if not to_number.startswith(settings.allowed_prefixes):
        raise Refused(400, 21215, "Account not authorized to call this destination.")
    twiml, url = form.get("Twiml"), form.get("Url")
    if not twiml and not url:
        raise Refused(400, 21205, "Url parameter is required.")
    if twiml and len(str(twiml)) > MAX_TWIML:
        raise Refused(400, 21205, "Twiml must be at most 4000 characters.")
    detection = form.get("MachineDetection")
    if detection not in (None, "Enable", "DetectMessageEnd"):
        raise Refused(400, 21234, "Invalid MachineDetection value.")
    ring_s = int(str(form.get("Timeout", "60")))
    if ring_s > _MAX_RING_S:
        raise Refused(400, 21217, "Timeout is out of range.")
    callback = form.get("StatusCallback")
    machine_callback = form.get("AsyncAmdStatusCallback")
    return CallRequest(
        to_number=to_number,
        from_number=from_number,
        twiml=None if url else str(twiml),
        url=str(url) if url else None,
        status_callback=str(callback) if callback else None,
        events=frozenset(str(v) for v in form.getall("StatusCallbackEvent", ["completed"])),
        ring_s=ring_s,
        limit_s=int(str(form.get("TimeLimit", "14400"))),
        machine_detection=detection is not None,
        machine_callback=str(machine_callback) if machine_callback else None,
    )


async def _update(carrier: Carrier, request: web.Request) -> web.Response:
    call, form = _find(carrier, request), await request.post()
    status, twiml = form.get("Status"), form.get("Twiml")
    if call.is_over:
        if twiml or carrier.settings.faults.hang_up_error_400:
            raise Refused(400, 21220, "Call is not in-progress. Cannot redirect.")
        raise Refused(404, 20404, "The requested resource was not found")
    if status in ("completed", "canceled"):
        if status == "completed" or call.status in ("queued", "ringing"):
            call.end(str(status))
    elif twiml:
        if call.status != "in-progress":
            raise Refused(400, 21220, "Call is not in-progress. Cannot redirect.")
        call.redirect(str(twiml))
    return web.json_response(call_body(carrier, call))


def _find(carrier: Carrier, request: web.Request) -> EmulatedCall:
    call = carrier.calls.get(request.match_info["sid"])
    if call is None or request.match_info["account"] != carrier.settings.account_sid:
        raise Refused(404, 20404, "The requested resource was not found")
    return call


def _page(carrier: Carrier, request: web.Request) -> web.Response:
    query = request.query
    size = min(1_000, int(query.get("PageSize", "50")))
    number = int(query.get("Page", "0"))
    calls = [
        call
        for call in reversed(carrier.calls.values())
        if query.get("To") in (None, call.request.to_number)
        and query.get("From") in (None, call.request.from_number)
        and query.get("Status") in (None, call.status)
    ]
    part = calls[number * size : (number + 1) * size]
    path = request.path
    more = len(calls) > (number + 1) * size
    return web.json_response(
        {
            "calls": [call_body(carrier, call) for call in part],
            "page": number,
            "page_size": size,
            "start": number * size,
            "end": number * size + len(part) - 1,
            "uri": f"{path}?Page={number}&PageSize={size}",
            "first_page_uri": f"{path}?Page=0&PageSize={size}",
            "next_page_uri": f"{path}?Page={number + 1}&PageSize={size}" if more else None,
            "previous_page_uri": f"{path}?Page={number - 1}&PageSize={size}" if number else None,
        }
    )


def _notifications(carrier: Carrier, request: web.Request) -> web.Response:
    call = _find(carrier, request)
    items = [
        {
            "sid": f"NO{i:032d}",
            "call_sid": call.sid,
            "error_code": str(code),
            "log": "0",
        }
        for i, code in enumerate(call.notifications)
    ]
    body = {
        "notifications": items,
        "page": 0,
        "page_size": 50,
        "start": 0,
        "end": len(items),
    }
    uris = {"uri": request.path, "first_page_uri": request.path}
    return web.json_response({**body, **uris, "next_page_uri": None, "previous_page_uri": None})


def call_body(carrier: Carrier, call: EmulatedCall) -> dict[str, Any]:
    """The call resource: all values text or null."""
    account, request = carrier.settings.account_sid, call.request
    path = f"/2010-04-01/Accounts/{account}/Calls/{call.sid}"
    names = ("notifications", "recordings", "payments", "events", "siprec", "streams")
    return {
        "sid": call.sid,
        "account_sid": account,
        "parent_call_sid": None,
        "to": request.to_number,
        "to_formatted": request.to_number,
        "from": request.from_number,
        "from_formatted": request.from_number,
        "phone_number_sid": None,
        "status": call.status,
        "start_time": format_datetime(call.answered_at) if call.answered_at else None,
        "end_time": format_datetime(call.ended_at) if call.ended_at else None,
        "date_created": format_datetime(call.created_at),
        "date_updated": format_datetime(call.ended_at or call.created_at),
        "duration": str(call.duration_s) if call.answered_at and call.ended_at else None,
        "price": None,
        "price_unit": "USD",
        "direction": "outbound-api",
        "answered_by": call.answered_by,
        "api_version": "2010-04-01",
        "queue_time": "0",
        "forwarded_from": None,
        "group_sid": None,
        "caller_name": None,
        "trunk_sid": None,
        "uri": f"{path}.json",
        "subresource_uris": {name: f"{path}/{name.capitalize()}.json" for name in names},
    }


def _error(status: int, code: int, message: str) -> web.Response:
    body = {
        "code": code,
        "message": message,
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }
    return web.json_response(body, status=status)
