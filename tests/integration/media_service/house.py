"""A media service on loopback: its own server, a scripted model that speaks the Realtime protocol, a carrier's end of
the line, and stores in memory that can be away."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from twilio.request_validator import RequestValidator
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from media_service.admission import Admission
from media_service.load import Load
from media_service.model.openai_realtime import OpenAiRealtime, RealtimeEndpoint
from media_service.reception import House, Reception
from media_service.server import MediaServer
from media_service.timers import TimerWheel
from media_service.worker_threads import WorkerThreads
from shared.adapters.clock import SystemClock
from shared.adapters.leases import Lease, LeaseRefused
from shared.agents.opening import opening_for
from shared.domain.agent import Agent, OpeningMode, TenantFacts, TurnTaking
from shared.domain.call import Call, Fact, FactKind
from shared.domain.conversation import Suppression
from shared.domain.errors import NotFound, Unavailable
from shared.domain.journal import JournalEntry
from shared.domain.stream_token import StreamToken
from tests.sample_calls import a_call
from tests.unit.media_service.engine.phone_line import CLIP

PUBLIC_URL, AUTH_TOKEN, SECRET = "wss://media.sofia.test/media", "token", b"s" * 32
FACTS = TenantFacts("Nubelia", "agenda", "Laura", "9 a 19", "nueve", "n.example", "p@n.example", ())
AGENT = Agent("t1", "sofia", 1, "Sofía", FACTS, opening_for(FACTS, "Sofía"))
AGENT_FIRST = replace(AGENT, turn_taking=TurnTaking(opening_mode=OpeningMode.AGENT_FIRST))
DIALLED = ((FactKind.QUEUED, 0), (FactKind.DIAL_INTENT, 1), (FactKind.ANSWERED, 10))
WITHIN_S = 5.0
ITEM = "conversation.item.create"


class Store:
    """Everything that lies in DynamoDB and S3. `away` makes every request fail."""

    def __init__(self, agent: Agent) -> None:
        self.agent_version = agent
        self.away = False
        self.slow_s = 0.0
        self.calls: dict[str, Call] = {}
        self.fences: dict[str, int] = {}
        self.answered_at: dict[str, datetime] = {}
        self.journal: list[JournalEntry] = []
        self.objections: list[Suppression] = []
        self.requests: list[str] = []

    def _asked(self, request: str) -> None:
        self.requests.append(request)
        if self.slow_s:
            time.sleep(self.slow_s)
        if self.away:
            raise Unavailable("the store is away")

    # --- calls

    def get(self, call_id: str) -> Call:
        self._asked("get")
        if call_id not in self.calls:
            raise NotFound("there is no such call")
        return self.calls[call_id]

    def record(self, call_id: str, facts: list[Fact]) -> Call:
        self._asked("record")
        self.calls[call_id] = self.calls[call_id].with_facts(facts)
        return self.calls[call_id]

    # --- leases

    def take(
        self, token: StreamToken, carrier_sid: str, owner: str, now: datetime, trace_id: str
    ) -> Lease:
        self._asked("take")
        if self.fences.get(token.call_id, 0) >= token.leg:
            raise LeaseRefused("used before")
        self.fences[token.call_id] = token.leg
        answered_at = self.answered_at.setdefault(token.call_id, now)
        return Lease(token.call_id, token.leg, answered_at)

    def renew(self, lease: Lease, now: datetime) -> None:
        self._asked("renew")
        if self.fences[lease.call_id] != lease.fence:
            raise LeaseRefused("another task has taken the call")

    # --- agents, clips, journal

    def agent(self, *_key: object) -> Agent:
        self._asked("agent")
        return self.agent_version

    def clip(self, _agent: Agent) -> Any:
        self._asked("clip")
        return CLIP

    def read(self, call_id: str) -> list[JournalEntry]:
        self._asked("read")
        return [entry for entry in self.journal if entry.call_id == call_id]

    # --- objections

    def number_key(self, number: str) -> str:
        return f"key of {number[-2:]}"

    def reference(self, _tenant_id: str, _number: str) -> str:
        return "OP-4F7K2"

    def add(self, suppression: Suppression) -> Suppression:
        self._asked("add")
        self.objections.append(suppression)
        return suppression


class Clips:
    def __init__(self, store: Store) -> None:
        self.get = store.clip


class KeptJournal:
    """The journal's pipe with the store behind it at once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.is_behind = False

    def write(self, entry: JournalEntry) -> None:
        self._store.journal.append(entry)

    async def written(self, call_id: str) -> None:
        return None

    def as_metrics(self) -> str:
        return "sofia_journal_unwritten 0\n"


class CarrierApi:
    """Hangs up by ending the stream, as the carrier does. `refuses` so many times first."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.refuses = 0
        self.hung_up = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def hang_up(self, sid: str) -> None:
        from shared.adapters.carrier import CarrierUnknown

        self.asked.append(sid)
        if self.refuses:
            self.refuses -= 1
            raise CarrierUnknown("no answer")
        self._loop.call_soon_threadsafe(self.hung_up.set)


class Session:
    """One session at the model: what it was sent, and what it says."""

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection
        self.sent: list[dict[str, Any]] = []
        self._news = asyncio.Condition()

    async def say(self, kind: str, **fields: Any) -> None:
        await self._connection.send(json.dumps({"type": kind, **fields}))

    async def say_raw(self, frame: str) -> None:
        await self._connection.send(frame)

    async def die(self) -> None:
        self._connection.transport.abort()

    async def until(self, kind: str, count: int = 1) -> dict[str, Any]:
        """The `count`th frame of this kind."""
        async with asyncio.timeout(WITHIN_S), self._news:
            await self._news.wait_for(lambda: len(self.of(kind)) >= count)
        return self.of(kind)[count - 1]

    async def until_closed(self) -> int | None:
        """The close code: 1000 where it was closed in earnest, not just let go of."""
        await asyncio.wait_for(self._connection.wait_closed(), WITHIN_S)
        return self._connection.close_code

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [frame for frame in self.sent if frame["type"] == kind]

    @property
    def sound(self) -> list[str]:
        return [frame["audio"] for frame in self.of("input_audio_buffer.append")]

    async def hears(self, text: str, item: str = "item1") -> None:
        """The callee says something: detector, commit, transcript."""
        await self.begins(item)
        await self.say("input_audio_buffer.speech_stopped", item_id=item, audio_end_ms=900)
        await self.say("input_audio_buffer.committed", item_id=item)
        await self.transcribes(text, item)

    async def has_come(self) -> None:
        """Until what was said is out of the other side's socket."""
        await asyncio.wait_for(await self._connection.ping(), WITHIN_S)

    async def begins(self, item: str = "item1") -> None:
        await self.say("input_audio_buffer.speech_started", item_id=item, audio_start_ms=100)

    async def transcribes(self, text: str, item: str = "item1") -> None:
        await self.say(
            "conversation.item.input_audio_transcription.completed", item_id=item, transcript=text,
            usage={"type": "duration", "seconds": 1},
        )  # fmt: skip

    async def serve(self, confirms: bool, ready: Callable[[Session], None]) -> None:
        if not confirms:
            ready(self)
        async for frame in self._connection:
            event = json.loads(frame)
            async with self._news:
                self.sent.append(event)
                self._news.notify_all()
            if event["type"] == "session.update" and confirms:
                await self.say("session.updated")
                if len(self.of("session.update")) == 1:
                    ready(self)


@dataclass
class ScriptedModel:
    """Says nothing by itself but `session.updated`. `refusal`: a code that the upgrade is refused with; `error`: one
    that the first update is; `confirms` False keeps everybody waiting."""

    confirms: bool = True
    refusal: str | None = None
    error: str | None = None
    open: set[Session] = field(default_factory=set)
    sessions: asyncio.Queue[Session] = field(default_factory=asyncio.Queue)
    knocks: int = 0
    emptied: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def next(self) -> Session:
        """The next one that is configured, or that waits in vain to be."""
        return await asyncio.wait_for(self.sessions.get(), WITHIN_S)

    async def all_closed(self) -> None:
        async with asyncio.timeout(WITHIN_S), self.emptied:
            await self.emptied.wait_for(lambda: not self.open)

    async def handle(self, connection: ServerConnection) -> None:
        session = Session(connection)
        self.open.add(session)
        if self.error is not None:
            await session.say("error", error={"code": self.error})
        try:
            await session.serve(self.confirms and self.error is None, self.sessions.put_nowait)
        except ConnectionClosed:
            pass
        finally:
            async with self.emptied:
                self.open.discard(session)
                self.emptied.notify_all()

    def decide(self, connection: ServerConnection, _request: object) -> Any:
        self.knocks += 1
        if self.refusal is None:
            return None
        body = json.dumps({"error": {"code": self.refusal, "message": "no"}})
        return connection.respond(HTTPStatus.UNAUTHORIZED, body)


class Line:
    """The carrier's end of one stream."""

    def __init__(self, socket: ClientConnection, sid: str) -> None:
        self.socket = socket
        self.sid = sid
        self.got: list[dict[str, Any]] = []
        self.got_at: list[float] = []
        self.news = asyncio.Condition()
        self.closed = asyncio.Event()
        self.task = asyncio.create_task(self._read())

    async def send(self, event: str, **fields: Any) -> None:
        await self.socket.send(json.dumps({"event": event, "streamSid": self.sid, **fields}))

    async def frame(self, payload: str = "////", n: int = 0, **media: Any) -> None:
        await self.send("media", media={"track": "inbound", "timestamp": str(20 * n),
                                        "payload": payload, **media})  # fmt: skip

    async def stop(self) -> None:
        """The callee hung up."""
        await self.send("stop", stop={"callSid": "CA1", "accountSid": "AC1"})

    async def until(self, event: str, count: int = 1) -> dict[str, Any]:
        async with asyncio.timeout(WITHIN_S), self.news:
            await self.news.wait_for(lambda: len(self.of(event)) >= count)
        return self.of(event)[count - 1]

    async def until_closed(self, within_s: float = WITHIN_S) -> int | None:
        """The close code."""
        await asyncio.wait_for(self.closed.wait(), within_s)
        return self.socket.close_code

    def of(self, event: str) -> list[dict[str, Any]]:
        return [message for message in self.got if message["event"] == event]

    async def _read(self) -> None:
        try:
            async for frame in self.socket:
                async with self.news:
                    self.got.append(json.loads(frame))
                    self.got_at.append(time.monotonic())
                    self.news.notify_all()
        except ConnectionClosed:
            pass
        finally:
            self.closed.set()


@dataclass
class World:
    """A running media service and everything around it."""

    store: Store
    model: ScriptedModel
    carrier: CarrierApi
    load: Load
    journal: KeptJournal
    wheel: TimerWheel
    server: MediaServer
    port: int

    def call(self, call_id: str = "c1") -> Call:
        """One that was answered just now."""
        call = a_call(call_id, kinds=DIALLED)
        self.store.calls[call_id] = call
        return call

    @asynccontextmanager
    async def stream(self, *, signed: bool = True) -> AsyncIterator[ClientConnection]:
        """An upgraded socket."""
        signature = RequestValidator(AUTH_TOKEN).compute_signature(PUBLIC_URL, {})
        headers = {"X-Twilio-Signature": signature} if signed else {}
        url = f"ws://127.0.0.1:{self.port}/media"
        async with connect(url, additional_headers=headers, proxy=None) as socket:
            yield socket

    @asynccontextmanager
    async def line(
        self, call_id: str = "c1", leg: int = 1, sid: str = "MZ1"
    ) -> AsyncIterator[Line]:
        """A stream that has sent its start."""
        if call_id not in self.store.calls:
            self.call(call_id)
        async with self.stream() as socket:
            await socket.send(json.dumps({"event": "connected", "protocol": "Call"}))
            await socket.send(start_message(call_id, leg, sid))
            line = Line(socket, sid)
            try:
                yield line
            finally:
                line.task.cancel()

    async def until(self, holds: Callable[[], bool]) -> None:
        """For what happens in worker threads, which announce nothing."""
        async with asyncio.timeout(WITHIN_S):
            while not holds():
                await asyncio.sleep(0.01)

    async def until_idle(self) -> None:
        await asyncio.wait_for(self.load.idle.wait(), WITHIN_S)

    def recorded(self, kind: type, call_id: str = "c1") -> list[Any]:
        return [
            entry.body
            for entry in self.store.journal
            if entry.call_id == call_id and isinstance(entry.body, kind)
        ]

    def report(self, kind: FactKind, call_id: str = "c1") -> None:
        """What the carrier says of the call."""
        self.store.record(call_id, [Fact(datetime.now(UTC), kind, 1, "twilio")])

    def fact_kinds(self, call_id: str = "c1") -> set[str]:
        return {fact.kind.value for fact in self.store.calls[call_id].facts.values()}

    def fact(self, kind: FactKind, call_id: str = "c1") -> Fact | None:
        return self.store.calls[call_id].fact(kind)


async def opened(world: World, line: Line, session: Session) -> str:
    """The callee has greeted and Sofia's opening is on its way; gives the tag of the name question."""
    await session.hears("¿Diga?")
    await line.until("media")
    request = await session.until("response.create")
    return request["event_id"]


def texts(session: Session) -> list[str]:
    """What a session was told, item by item."""
    return [item["item"]["content"][0]["text"] for item in session.of(ITEM)]


def token(call_id: str, leg: int = 1, secret: bytes = SECRET) -> str:
    expires_at = datetime.now(UTC) + timedelta(minutes=2)
    return StreamToken(call_id, 1, leg, expires_at).signed(secret)


def start_message(call_id: str, leg: int = 1, sid: str = "MZ1", **changes: Any) -> str:
    start = {
        "accountSid": "AC1", "streamSid": sid, "callSid": "CA1", "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        "customParameters": {"token": token(call_id, leg)}, **changes,
    }  # fmt: skip
    return json.dumps({"event": "start", "sequenceNumber": "1", "streamSid": sid, "start": start})


@asynccontextmanager
async def open_house(
    agent: Agent = AGENT, max_calls: int = 10, journal: Any = None
) -> AsyncIterator[World]:
    """A media service that listens."""
    store, model, carrier = Store(agent), ScriptedModel(), CarrierApi()
    kept = journal or KeptJournal(store)
    threads, load = WorkerThreads(16), Load(max_calls, 1_000, lambda: kept.is_behind)
    wheel = TimerWheel(asyncio.get_running_loop())
    async with serve(model.handle, "127.0.0.1", 0, process_request=model.decide) as peer:
        port = next(iter(peer.sockets)).getsockname()[1]
        endpoint = RealtimeEndpoint(f"ws://127.0.0.1:{port}", "key")
        doubles: Any = store
        admission = Admission(
            doubles, doubles, doubles, doubles, Clips(store),  # type: ignore[arg-type]
            threads, kept.written, (SECRET,), "task-1",
        )  # fmt: skip
        house = House(
            clock=SystemClock(), load=load, wheel=wheel, journal=kept, admission=admission,
            live=doubles, leases=doubles, suppressions=doubles, carrier=carrier,  # type: ignore[arg-type]
            model_for=lambda found: OpenAiRealtime(endpoint, found, 200), threads=threads,
        )  # fmt: skip
        server = MediaServer(Reception(house), load, kept, PUBLIC_URL, (AUTH_TOKEN,))
        world = World(
            store, model, carrier, load, kept, wheel, server, await server.start("127.0.0.1", 0)
        )
        try:
            yield world
        finally:
            await server.drain(0.0)
            threads.stop()
