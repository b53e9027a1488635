"""An application of ours behind the emulated carrier, and the unmodified SDK in front of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp import WSMsgType, web
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from local.carrier.carrier import Carrier
from local.carrier.far_end import SILENCE_FRAME, FarEnd, FarFrame, PickupPlan, RingingCall
from local.carrier.settings import CarrierSettings, Faults

ACCOUNT, TOKEN = "AC" + "1" * 32, "secret"
ORIGIN, STREAM = "https://app.test", "wss://app.test"
CALLER, CALLEE = "+34400000012", "+34600000001"
DOCUMENT = (
    f'<Response><Connect><Stream url="{STREAM}/media" statusCallback="{ORIGIN}/stream">'
    '<Parameter name="token" value="t1"/></Stream></Connect>'
    f'<Connect><Stream url="{STREAM}/media"><Parameter name="token" value="t2"/></Stream></Connect><Hangup/></Response>'
)


class Person:
    """Answers after 20 ms, keeps what was heard, hangs up when told."""

    def __init__(self, plan: PickupPlan, voice: bytes = b"\x55" * 160) -> None:
        self._plan = plan
        self.voice = voice
        self.heard = bytearray()
        self.digits: list[tuple[int, str]] = []
        self.silent_from_ms: int | None = None
        self.leave_at_ms: int | None = None
        self.over = asyncio.Event()

    def pickup_plan(self) -> PickupPlan:
        return self._plan

    def answered(self, at_ms: int) -> None:
        assert at_ms == 0

    def exchange(self, heard: bytes, at_ms: int) -> FarFrame:
        if heard != SILENCE_FRAME:
            self.heard += heard
        digit = None
        if self.digits and at_ms >= self.digits[0][0]:
            digit = self.digits.pop(0)[1]
        silent = self.silent_from_ms is not None and at_ms >= self.silent_from_ms
        sound = SILENCE_FRAME if silent else self.voice
        leaves = self.leave_at_ms is not None and at_ms >= self.leave_at_ms
        return FarFrame(sound, digit, hang_up=leaves)

    def ended(self, at_ms: int, by_far_end: bool) -> None:
        self.over.set()


@dataclass
class Application:
    """Takes webhooks and streams, checks their signatures, does what a test says."""

    person: Person
    reports: list[dict[str, str]] = field(default_factory=list)
    documents: dict[str, web.Response] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    tokens: list[str | None] = field(default_factory=list)
    others: dict[str, Person] = field(default_factory=dict)
    signed_origin: str = ORIGIN
    frames: list[dict[str, Any]] = field(default_factory=list)
    pongs: list[bytes] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    starts: list[dict[str, Any]] = field(default_factory=list)
    streams: asyncio.Queue[web.WebSocketResponse] = field(default_factory=asyncio.Queue)
    fail_webhooks: int = 0
    answer_after_s: float = 0.0
    """How long webhooks take."""
    deaf: bool = False
    """Streams are accepted and never read."""
    deaf_sockets: int = 0
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def far_end_for(self, call: RingingCall) -> FarEnd | None:
        return self.person if call.to_number == CALLEE else self.others.get(call.to_number)

    async def webhook(self, request: web.Request) -> web.Response:
        form = dict(await request.post())
        url = self.signed_origin + request.path
        assert RequestValidator(TOKEN).validate(url, form, request.headers["X-Twilio-Signature"])
        self.tokens.append(request.headers.get("I-Twilio-Idempotency-Token"))
        await asyncio.sleep(self.answer_after_s)
        if self.fail_webhooks:
            self.fail_webhooks -= 1
            return web.Response(status=500)
        texts = {name: str(value) for name, value in form.items()}
        if request.path in self.documents:
            self.requests.append((request.path, texts))
            prepared = self.documents[request.path]
            return web.Response(
                status=prepared.status, text=prepared.text, content_type=prepared.content_type
            )
        self.reports.append(texts)
        return web.Response(status=204)

    async def media(self, request: web.Request) -> web.WebSocketResponse:
        assert "Origin" not in request.headers
        assert RequestValidator(TOKEN).validate(
            f"{STREAM}/media", {}, request.headers["X-Twilio-Signature"]
        )
        # Pongs are for the tests to see.
        socket = web.WebSocketResponse(compress=False, autoping=False)
        await socket.prepare(request)
        if self.deaf:
            self.deaf_sockets += 1
            await self.done.wait()
            return socket
        async for message in socket:
            if message.type is WSMsgType.PONG:
                self.pongs.append(bytes(message.data))
                continue
            if message.type is not WSMsgType.TEXT:
                break
            body = json.loads(message.data)
            if body["event"] == "start":
                self.starts.append(body)
                await self.streams.put(socket)
            if body["event"] != "media":
                self.messages.append(body)
            else:
                self.frames.append(body)
        return socket

    def xml(self, path: str, verbs: str, status: int = 200) -> str:
        """Answer `path` with a document; gives its address."""
        text = f"<Response>{verbs}</Response>"
        self.documents[path] = web.Response(status=status, text=text, content_type="text/xml")
        return ORIGIN + path

    def asked(self, path: str) -> list[dict[str, str]]:
        return [form for asked, form in self.requests if asked == path]

    def arrivals(self) -> list[str]:
        """Statuses as they came in."""
        return [r["CallStatus"] for r in self.reports if "SequenceNumber" in r]

    def statuses(self) -> list[str]:
        """Statuses as they arose."""
        told = [r for r in self.reports if "SequenceNumber" in r]
        return [r["CallStatus"] for r in sorted(told, key=lambda r: int(r["SequenceNumber"]))]


@dataclass
class Stage:
    carrier: Carrier
    client: Client
    app: Application

    async def place(self, **changes: Any) -> Any:
        wanted: dict[str, Any] = {
            "to": CALLEE,
            "from_": CALLER,
            "twiml": DOCUMENT,
            "status_callback": f"{ORIGIN}/status#rc=3&rp=5xx",
            "status_callback_event": ["initiated", "ringing", "answered", "completed"],
            **changes,
        }
        return await asyncio.to_thread(self.client.calls.create, **wanted)

    async def settled(self) -> None:
        """Until every status callback up to the last one was delivered."""
        async with asyncio.timeout(10):
            while not self._has_settled():
                await asyncio.sleep(0.01)

    def _has_settled(self) -> bool:
        numbers = {int(r["SequenceNumber"]) for r in self.app.reports if "SequenceNumber" in r}
        last = [int(r["SequenceNumber"]) for r in self.app.reports if r.get("CallDuration")]
        return bool(last) and len(numbers) == last[0] + 1


@contextlib.asynccontextmanager
async def staged(
    plan: PickupPlan, faults: Faults | None = None, **settings_changed: Any
) -> AsyncIterator[Stage]:
    app = Application(Person(plan))
    web_app = web.Application()
    web_app.router.add_get("/media", app.media)
    web_app.router.add_post("/{name:.*}", app.webhook)
    runner = web.AppRunner(web_app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    settings = CarrierSettings(
        ACCOUNT,
        TOKEN,
        frozenset({CALLER}),
        {ORIGIN: f"http://127.0.0.1:{port}", STREAM: f"ws://127.0.0.1:{port}"},
        blocked_numbers=frozenset({"+34600000666"}),
        calls_per_second=100,
        initiated_after_ms=5,
        ringing_after_ms=5,
        faults=faults or Faults(),
    )
    carrier = Carrier(replace(settings, **settings_changed), app)
    await carrier.start()
    client = Client(ACCOUNT, TOKEN)
    client.api.base_url = carrier.base_url
    try:
        yield Stage(carrier, client, app)
    finally:
        app.done.set()
        await carrier.stop()
        await runner.cleanup()


ANSWER = PickupPlan(after_ms=20, verdict=None)


def marks(app: Application) -> list[str]:
    return [m["mark"]["name"] for m in app.messages if m["event"] == "mark"]


async def wait_for(holds: Any) -> None:
    async with asyncio.timeout(5):
        while not holds():
            await asyncio.sleep(0.01)
