"""Signed requests to the application, with Twilio's retries (connection overrides in the fragment)."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp

from local.carrier.settings import CarrierSettings

log = logging.getLogger(__name__)
CONNECT_S, TOTAL_S = 5.0, 15.0
_SERVER_FAULT, _CLIENT_FAULT = 500, 400


def signature(token: str, url: str, form: Mapping[str, str]) -> str:
    """X-Twilio-Signature of a form POST (HMAC-SHA1 over address and sorted form)."""
    text = url + "".join(name + form[name] for name in sorted(form))
    digest = hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` 0 stands for no answer at all."""

    status: int
    body: str = ""
    content_type: str = ""


class Webhooks:
    """One HTTP client for all calls."""

    def __init__(self, settings: CarrierSettings) -> None:
        self.settings = settings
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        timeout = aiohttp.ClientTimeout(total=TOTAL_S, connect=CONNECT_S)
        self._session = aiohttp.ClientSession(timeout=timeout, trust_env=False)

    async def stop(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def post(self, address: str, form: Mapping[str, str]) -> Answer:
        """Deliver a form; retried as the address's fragment says, by default once when the connection fails."""
        url, _, fragment = address.partition("#")
        overrides = dict(part.partition("=")[::2] for part in fragment.split("&") if part)
        retries = int(overrides.get("rc", "1"))
        policy = set(overrides.get("rp", "ct").split(","))
        headers = {
            "User-Agent": "TwilioProxy/1.1",
            "I-Twilio-Idempotency-Token": str(uuid.uuid4()),
        }
        faults = self.settings.faults
        if not faults.missing_signature:
            token = "wrong" if faults.bad_signature else self.settings.auth_token
            headers["X-Twilio-Signature"] = signature(token, url, form)
        answer = Answer(0)
        for attempt in range(retries + 1):
            answer = await self._once(url, form, headers)
            retry = (
                (answer.status == 0 and policy & {"ct", "rt", "all"})
                or (answer.status >= _SERVER_FAULT and policy & {"5xx", "all"})
                or (_CLIENT_FAULT <= answer.status < _SERVER_FAULT and policy & {"4xx", "all"})
            )
            if not retry:
                break
            await asyncio.sleep(0.1 * 2**attempt)
        return answer

    async def _once(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        if self._session is None:
            return Answer(0)
        try:
            async with self._session.post(
                self.settings.local_url(url), data=dict(form), headers=headers
            ) as response:
                return Answer(response.status, await response.text(), response.content_type)
        except (aiohttp.ClientError, TimeoutError):
            return Answer(0)
