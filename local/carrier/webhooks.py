"""Signed requests to the application, with Twilio's retries (connection overrides in the fragment)."""

from __future__ import annotations

import asyncio
import base64
import hmac
import urllib.parse
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import aiohttp

from local.carrier.address import Address
from local.carrier.overrides import BadOverride, Failure, Overrides, read_overrides
from local.carrier.settings import CarrierSettings, SigningFaults


def signature(token: str, url: str, form: Mapping[str, str]) -> str:
    """X-Twilio-Signature of a form POST (HMAC-SHA1 over address and sorted form)."""
    return _signed(token, url, form, "sha1")


def _signed(key: str, url: str, form: Mapping[str, str], digest: str) -> str:
    text = url + "".join(name + form[name] for name in sorted(form))
    return base64.b64encode(hmac.new(key.encode(), text.encode(), digest).digest()).decode()


def signature_headers(
    token: str, faults: SigningFaults, url: str, form: Mapping[str, str]
) -> dict[str, str]:
    """The headers that prove a request, as the faults want them. `url` without fragment."""
    is_handshake = url.startswith("wss:")
    if not (faults.on_handshakes if is_handshake else faults.on_webhooks):
        faults = SigningFaults()
    if faults.missing:
        return {}
    if faults.with_port:
        parts = urllib.parse.urlsplit(url)
        url = urllib.parse.urlunsplit(parts._replace(netloc=f"{parts.netloc}:443"))
    if faults.with_slash and is_handshake:
        url += "/"
    if faults.shared_key is not None:
        settings = "key=shared,algorithm=HMAC_SHA256"
        return {
            "X-Twilio-Signature": _signed(faults.shared_key, url, form, "sha256"),
            "X-Twilio-Webhooks-Signature-Settings": settings,
        }
    return {"X-Twilio-Signature": signature("wrong" if faults.wrong else token, url, form)}


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` 0 stands for no answer at all; `failure` says then why."""

    status: int
    body: str = ""
    content_type: str = ""
    failure: Failure | None = None

    @property
    def is_fine(self) -> bool:
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what came back, for the call's event list."""

    url: str
    method: str
    form: Mapping[str, str]
    answer: Answer


@dataclass(frozen=True, slots=True)
class _Delivery:
    """A request ready to be sent, as often as its overrides allow."""

    url: str
    method: str
    form: Mapping[str, str]
    headers: Mapping[str, str]
    overrides: Overrides


class Webhooks:
    """One HTTP client for all calls."""

    def __init__(self, settings: CarrierSettings) -> None:
        self.settings = settings
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        self._session = aiohttp.ClientSession(trust_env=False)

    async def stop(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def send(
        self,
        address: Address,
        form: Mapping[str, str],
        note: Callable[[int], None],
        signing: SigningFaults,
        repeats: str | None = None,
    ) -> Exchange:
        """Deliver a form; retried as the address's fragment says, by default once when the connection fails. Only
        what is sent again carries an idempotency token: a retry its delivery's, a repeated delivery `repeats`."""
        url, _, fragment = address.url.partition("#")
        try:
            overrides = read_overrides(fragment)
        except BadOverride as bad:
            note(bad.code)
            overrides = Overrides()
        if address.method == "GET":
            url, form = f"{url}{'&' if '?' in url else '?'}{urllib.parse.urlencode(form)}", {}
        headers = {
            "User-Agent": "TwilioProxy/1.1",
            **signature_headers(self.settings.auth_token, signing, url, form),
        }
        if repeats is not None:
            headers |= _token(repeats)
        delivery = _Delivery(url, address.method, form, headers, overrides)
        try:
            async with asyncio.timeout(overrides.total_s):
                answer = await self._tried(delivery)
        except TimeoutError:
            answer = Answer(0, failure=Failure.READ)
        return Exchange(url, address.method, form, answer)

    async def _tried(self, delivery: _Delivery) -> Answer:
        attempt = 0
        while True:
            answer = await self._once(delivery)
            overrides = delivery.overrides
            if attempt >= overrides.retries or not overrides.again(answer.status, answer.failure):
                return answer
            if attempt == 0:
                headers = {**_token(str(uuid.uuid4())), **delivery.headers}
                delivery = replace(delivery, headers=headers)
            await asyncio.sleep(0.1 * 2**attempt)
            attempt += 1

    async def _once(self, delivery: _Delivery) -> Answer:
        local = self.settings.local_url(delivery.url)
        if self._session is None or local is None:
            return Answer(0, failure=Failure.CONNECT)
        timeout = aiohttp.ClientTimeout(
            sock_connect=delivery.overrides.connect_s, sock_read=delivery.overrides.read_s
        )
        data = dict(delivery.form) if delivery.method == "POST" else None
        try:
            async with self._session.request(
                delivery.method, local, data=data, headers=delivery.headers, timeout=timeout
            ) as response:
                return Answer(response.status, await response.text(), response.content_type)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            return Answer(0, failure=Failure.CONNECT)
        except (aiohttp.ClientError, TimeoutError, UnicodeDecodeError):
            return Answer(0, failure=Failure.READ)


def _token(value: str) -> dict[str, str]:
    return {"I-Twilio-Idempotency-Token": value}
