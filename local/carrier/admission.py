"""Who may come in at the REST door, and what a refusal looks like: always JSON with its status."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from aiohttp import web
from aiohttp.typedefs import Middleware

from local.carrier.errors import Refused, not_found
from local.carrier.sids import new_sid

if TYPE_CHECKING:
    from local.carrier.carrier import Carrier

log = logging.getLogger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Admission:
    """Checks credentials and lets the REST door's faults strike."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier
        self._requests = 0

    def guard(self) -> Middleware:
        """What stands before every handler."""

        @web.middleware
        async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
            try:
                await self._admit(request)
                response = await handler(request)
            except Refused as refusal:
                response = _error(refusal)
            except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
                response = _error(not_found())
            except web.HTTPException as refusal:
                response = _error(Refused(refusal.status, 20000 + refusal.status, refusal.reason))
            except Exception:
                log.exception("the carrier's REST door failed")
                response = _error(Refused(500, 20500, "Internal Server Error"))
            response.headers["Twilio-Request-Id"] = new_sid("RQ")
            response.headers["Twilio-Concurrent-Requests"] = "1"
            return response

        return middleware

    async def _admit(self, request: web.Request) -> None:
        faults = self._carrier.settings.faults.rest
        self._authenticate(request)
        self._requests += 1
        if faults.answer_after_ms:
            await asyncio.sleep(faults.answer_after_ms / 1_000)
        if faults.refuse_every and self._requests % faults.refuse_every == 0:
            raise Refused(429, 20429, "Too Many Requests")

    def _authenticate(self, request: web.Request) -> None:
        """By the account's token, or by one of its API keys."""
        settings = self._carrier.settings
        secrets = {settings.account_sid: settings.auth_token, **settings.api_keys}
        scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
        try:
            user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            user = password = ""
        wanted = secrets.get(user)
        if (
            scheme != "Basic"
            or wanted is None
            or not hmac.compare_digest(wanted.encode(), password.encode())
        ):
            raise Refused(401, 20003, "Authenticate")
        if request.match_info.get("account", settings.account_sid) != settings.account_sid:
            raise not_found()


def _error(refusal: Refused) -> web.Response:
    body = {
        "code": refusal.code,
        "message": str(refusal),
        "more_info": f"https://www.twilio.com/docs/errors/{refusal.code}",
        "status": refusal.status,
    }
    return web.json_response(body, status=refusal.status)
