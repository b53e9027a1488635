"""Signed requests to the application, with Twilio's retries (connection overrides in the fragment)."""

from __future__ import annotations

import asyncio
import base64
import hmac
import urllib.parse
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import aiohttp

from local.carrier.settings import CarrierSettings, SigningFaults

_SERVER_FAULT, _CLIENT_FAULT = 500, 400
_OVERRIDES = {
    "ct": (100, 10_000),
    "rt": (100, 15_000),
    "tt": (100, 15_000),
    "rc": (0, 5),
}
_POLICIES = frozenset({"4xx", "5xx", "ct", "rt", "all"})
RETRIEVAL_FAILED, BAD_OVERRIDE = 11200, 11240


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
    if faults.missing:
        return {}
    if faults.with_port:
        parts = urllib.parse.urlsplit(url)
        url = urllib.parse.urlunsplit(parts._replace(netloc=f"{parts.netloc}:443"))
    if faults.with_slash and url.startswith("wss:"):
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
    """`status` 0 stands for no answer at all."""

    status: int
    body: str = ""
    content_type: str = ""

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
class _Overrides:
    """Defaults and ranges: twilio.md section 2.4."""

    connect_s: float = 5.0
    read_s: float = 15.0
    total_s: float = 15.0
    retries: int = 1
    policy: frozenset[str] = frozenset({"ct"})


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
        address: str,
        form: Mapping[str, str],
        note: Callable[[int], None],
        method: str = "POST",
        token: str | None = None,
    ) -> Exchange:
        """Deliver a form; retried as the address's fragment says, by default once when the connection fails. All
        tries, and whatever is sent with the same `token`, are one delivery to the application."""
        url, _, fragment = address.partition("#")
        overrides = _parse(fragment)
        if overrides is None:
            note(BAD_OVERRIDE)
            overrides = _Overrides()
        headers = {
            "User-Agent": "TwilioProxy/1.1",
            "I-Twilio-Idempotency-Token": token or str(uuid.uuid4()),
        }
        if method == "GET":
            joint = "&" if "?" in url else "?"
            url, form = url + joint + urllib.parse.urlencode(form), {}
        faults = self.settings.faults.signing
        headers |= signature_headers(self.settings.auth_token, faults, url, form)
        answer = Answer(0)
        try:
            async with asyncio.timeout(overrides.total_s):
                answer = await self._tried(url, method, form, headers, overrides)
        except TimeoutError:
            answer = Answer(0)
        return Exchange(url, method, form, answer)

    async def _tried(
        self,
        url: str,
        method: str,
        form: Mapping[str, str],
        headers: Mapping[str, str],
        overrides: _Overrides,
    ) -> Answer:
        attempt = 0
        while True:
            answer = await self._once(url, method, form, headers, overrides)
            if attempt >= overrides.retries or not _again(answer, overrides.policy):
                return answer
            await asyncio.sleep(0.1 * 2**attempt)
            attempt += 1

    async def _once(
        self,
        url: str,
        method: str,
        form: Mapping[str, str],
        headers: Mapping[str, str],
        overrides: _Overrides,
    ) -> Answer:
        local = self.settings.local_url(url)
        if self._session is None or local is None:
            return Answer(0)
        timeout = aiohttp.ClientTimeout(
            sock_connect=overrides.connect_s, sock_read=overrides.read_s
        )
        data = dict(form) if method == "POST" else None
        try:
            async with self._session.request(
                method, local, data=data, headers=headers, timeout=timeout
            ) as response:
                return Answer(response.status, await response.text(), response.content_type)
        except (aiohttp.ClientError, TimeoutError, UnicodeDecodeError):
            return Answer(0)


def _again(answer: Answer, policy: frozenset[str]) -> bool:
    if answer.status == 0:
        return bool(policy & {"ct", "rt", "all"})
    if answer.status >= _SERVER_FAULT:
        return bool(policy & {"5xx", "all"})
    return answer.status >= _CLIENT_FAULT and bool(policy & {"4xx", "all"})


def _parse(fragment: str) -> _Overrides | None:
    """None where something in it is not understood or out of range."""
    given = dict(part.partition("=")[::2] for part in fragment.split("&") if part)
    numbers: dict[str, int] = {}
    for name, (least, most) in _OVERRIDES.items():
        text = given.pop(name, None)
        if text is None:
            continue
        if not text.isdigit() or not least <= int(text) <= most:
            return None
        numbers[name] = int(text)
    policy = frozenset(given.pop("rp", "ct").split(","))
    given.pop("e", None)
    given.pop("sni", None)
    if given or not policy <= _POLICIES:
        return None
    return _Overrides(
        numbers.get("ct", 5_000) / 1_000,
        numbers.get("rt", 15_000) / 1_000,
        numbers.get("tt", 15_000) / 1_000,
        numbers.get("rc", 1),
        policy,
    )
