"""One leg of a phone call: the line on one side, the speech model on the other, the machine between them.

Callee frames go straight from the line to the model and never pass the machine. Everything else becomes an event; the
machine's actions are carried out at once and in order. Slow things (tools, hang-up, the journal) run beside it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from media_service.admission import Admitted
from media_service.engine import actions as ac
from media_service.engine import events as ev
from media_service.engine.machine import Machine
from media_service.engine.talk import CallPlan
from media_service.journal_pipe import JournalPipe
from media_service.model.openai_realtime import OpenAiRealtime, RealtimeSession
from media_service.model.port import ModelUnavailable
from media_service.phone import wire
from media_service.timers import TimerWheel
from media_service.tools import ToolDesk
from media_service.wire_writer import FrameWriter
from shared.domain.conversation import CloseCause
from shared.domain.journal import JournalEntry

log = logging.getLogger(__name__)
FRAME_MS = 20
# A minute of the callee's sound; whoever waits longer for a session has hung up.
MAX_HELD_FRAMES = 3_000
MODEL_RETRIES = 3
# The detector's clock is the sound it was given: without frames a turn would never end.
STALL_MS = 300.0
SILENCE_PAYLOAD = b'"' + b"/" * 213 + b'w=="'


@dataclass(frozen=True, slots=True)
class BridgeServices:
    """What a bridge needs of the process it runs in."""

    wheel: TimerWheel
    journal: JournalPipe
    model: OpenAiRealtime
    tools: ToolDesk
    hang_up: Callable[[], Awaitable[None]]


class Bridge:
    """Runs until the call is over, or until the line's socket is lost (`finished` is then None)."""

    def __init__(
        self,
        connection: ServerConnection,
        admitted: Admitted,
        plan: CallPlan,
        services: BridgeServices,
    ) -> None:
        self._connection = connection
        self._phone = FrameWriter(connection, "phone")
        self._words = wire.PhoneWriter(admitted.stream_sid)
        self._admitted = admitted
        self._services = services
        self._machine = Machine(plan)
        self._loop = asyncio.get_running_loop()
        self._origin_s = self._loop.time() - admitted.elapsed_ms / 1_000
        self._model: RealtimeSession | None = None
        self._held: list[bytes] = []
        self._waiting: list[ac.Action] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._seq = admitted.next_seq - 1
        self._last_frame_s = self._loop.time()
        self._model_opened_before = False
        self.finished: CloseCause | None = None

    @property
    def now_ms(self) -> float:
        """Milliseconds since the answer."""
        return (self._loop.time() - self._origin_s) * 1_000

    @property
    def last_seq(self) -> int:
        """The number of the last journal entry."""
        return self._seq

    async def run(self) -> None:
        """Serve the line until it ends."""
        self._spawn(self._serve_model())
        self._perform(self._machine.start(self.now_ms))
        try:
            await self._read_phone()
        finally:
            self._services.wheel.stop_all(self)
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            if self._model is not None:
                await self._model.close()

    def verdict(self, verdict: str) -> None:
        """The carrier's machine detection has spoken."""
        self._handle(ev.MachineVerdict(verdict))

    def end(self) -> None:
        """An operator ends the call."""
        self._handle(ev.HangUpOrdered())

    async def _read_phone(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            while self.finished is None:
                frame = await self._connection.recv(decode=False)
                message = wire.decode(frame)
                if message.event == "media" and message.media is not None:
                    self._callee_frame(bytes(message.media.payload))
                elif message.event == "mark" and message.mark is not None:
                    self._handle(ev.MarkReturned(message.mark.name))
                elif message.event == "dtmf" and message.dtmf is not None:
                    self._handle(ev.DigitPressed(message.dtmf.digit))
                elif message.event == "stop":
                    self._handle(ev.PhoneStopped())

    def _callee_frame(self, payload: bytes) -> None:
        self._last_frame_s = self._loop.time()
        if self._model is not None:
            self._model.append(payload)
        elif len(self._held) < MAX_HELD_FRAMES:
            self._held.append(payload)

    def _handle(self, event: ev.Event) -> None:
        self._perform(self._machine.handle(event, self.now_ms))

    def _perform(self, actions: list[ac.Action]) -> None:
        for action in actions:
            match action:
                case ac.SendSound(sound):
                    self._phone.send(self._words.media(sound))
                case ac.SendMark(name):
                    self._phone.send(self._words.mark(name))
                case ac.SendClear():
                    self._phone.send(self._words.clear)
                case ac.Record(body):
                    self._seq += 1
                    fence = self._admitted.lease.fence
                    entry = JournalEntry(self._admitted.call.call_id, self._seq, fence, body)
                    self._services.journal.write(entry)
                case ac.SetTimer(name, at_ms):
                    delay_s = (at_ms - self.now_ms) / 1_000
                    self._services.wheel.set(self, name, delay_s, self._timer_fired)
                case ac.StopTimer(name):
                    self._services.wheel.stop(self, name)
                case ac.RunTool(call_id, name, arguments):
                    self._spawn(self._run_tool(call_id, name, arguments))
                case ac.HangUp():
                    self._spawn(self._services.hang_up())
                case ac.OpenModel():
                    self._reopen_model()
                case ac.Finish(cause):
                    self.finished = cause
                    self._spawn(self._close_phone())
                case _:
                    self._to_model(action)

    def _to_model(self, action: ac.Action) -> None:
        if self._model is None:
            self._waiting.append(action)
        else:
            self._model.perform(action)

    def _timer_fired(self, name: str) -> None:
        self._handle(ev.TimerFired(name))

    async def _run_tool(self, call_id: str, name: str, arguments: str) -> None:
        self._handle(await self._services.tools.run(call_id, name, arguments))

    async def _close_phone(self) -> None:
        await self._connection.close()

    def _reopen_model(self) -> None:
        old, self._model = self._model, None
        self._waiting.clear()
        if old is not None:
            self._spawn(old.close())
        self._spawn(self._serve_model())

    async def _serve_model(self) -> None:
        """Open a session, hand it what waited, and read it until it is gone."""
        session = await self._open_model()
        if session is None:
            self._handle(ev.HangUpOrdered())
            return
        ready_ms = self.now_ms
        held, self._held = self._held, []
        waited, self._waiting = self._waiting, []
        self._model = session
        self._handle(ev.ModelReady(base_ms=ready_ms - len(held) * FRAME_MS))
        for action in waited:
            session.perform(action)
        for payload in held:
            session.append(payload)
        watch = asyncio.create_task(self._fill_stalls(session))
        try:
            async for event in session.events():
                if self._model is not session:
                    return
                if isinstance(event, ev.ModelLost):
                    # What the callee says from here on waits for the next session.
                    self._model = None
                    self._waiting.clear()
                self._handle(event)
        finally:
            watch.cancel()

    async def _open_model(self) -> RealtimeSession | None:
        silence_ms = None
        if self._model_opened_before:
            silence_ms = self._machine.talk.plan.turn_taking.silence_ms
        self._model_opened_before = True
        for attempt in range(MODEL_RETRIES):
            try:
                return await self._services.model.open(silence_ms)
            except ModelUnavailable as error:
                log.warning("no model session", extra={"code": error.code, "attempt": attempt})
                await asyncio.sleep(0.2 * 2**attempt)
        return None

    async def _fill_stalls(self, session: RealtimeSession) -> None:
        """While the carrier's frames stop, silence goes to the model in their place, in real time."""
        while True:
            await asyncio.sleep(STALL_MS / 1_000)
            missing_s = self._loop.time() - self._last_frame_s
            if missing_s * 1_000 >= STALL_MS and self._machine.talk.callee_speaking:
                for _ in range(int(missing_s * 1_000) // FRAME_MS):
                    session.append(SILENCE_PAYLOAD)
                self._last_frame_s = self._loop.time()

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a task of the call failed", exc_info=task.exception())
