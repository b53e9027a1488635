"""One leg of a phone call: the line on one side, the speech model on the other, the machine between them.

Callee frames go straight from the line to the model and never pass the machine. Everything else becomes an event; the
machine's actions are carried out at once and in order. Slow things (tools, hang-up, the journal) run beside it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from media_service.admission import Admitted
from media_service.engine import actions as ac
from media_service.engine import events as ev
from media_service.engine.machine import Machine
from media_service.engine.talk import CallPlan
from media_service.journal_pipe import JournalPipe
from media_service.last_words import LastWords
from media_service.model.link import ModelLink
from media_service.phone.line import PhoneLine
from media_service.phone.wire import FRAME_MS, PhoneMessage
from media_service.timers import TimerWheel
from media_service.tools import ToolRunner
from shared.domain.conversation import CloseCause, ToolUse
from shared.domain.journal import Closed, JournalBody, JournalEntry

log = logging.getLogger(__name__)
# A fault that repeats must not go round for the length of a call.
LAST_TRY_LEG = 2
_FREQUENT = (ev.SoundMade, ev.WordsMade)


@dataclass(frozen=True, slots=True)
class BridgeServices:
    """What a bridge needs of the process it runs in."""

    wheel: TimerWheel
    journal: JournalPipe
    tools: ToolRunner
    hang_up: Callable[[], Awaitable[None]]


class LegEnd(StrEnum):
    """How a leg came to its end. CLOSED: the conversation is over; LOST: the line's socket is gone, the carrier comes
    back on the next leg; BROKEN: the same, because we let go of it; TAKEN_OVER: a newer leg holds the call; FAILED: a
    fault of ours, the second, ended it."""

    CLOSED = "closed"
    LOST = "lost"
    BROKEN = "broken"
    TAKEN_OVER = "taken_over"
    FAILED = "failed"


class Bridge:
    """`run` returns when nothing of the leg is left to do but to write it down; then `end` says how it ended, and
    `cause` why the conversation is over, if it is."""

    def __init__(
        self,
        line: PhoneLine,
        link: ModelLink,
        admitted: Admitted,
        plan: CallPlan,
        services: BridgeServices,
    ) -> None:
        self._line = line
        self._link = link
        self._admitted = admitted
        self._services = services
        self._loop = asyncio.get_running_loop()
        self._origin_s = line.started_s - admitted.elapsed_ms / 1_000
        self._handled_ms = 0.0
        self._machine = Machine(plan)
        self._last_words = LastWords(self._machine.talk.book, self._record, self._start_tool)
        self._timers = services.wheel.timers(self._timer_fired, self._failed)
        self._tasks: set[asyncio.Task[None]] = set()
        self._tools: set[asyncio.Task[None]] = set()
        self._seq = admitted.next_seq - 1
        self._closed: Closed | None = None
        self._over = asyncio.Event()
        self.end: LegEnd | None = None

    @property
    def now_ms(self) -> float:
        """Milliseconds since the answer."""
        return self._moment(self._loop.time())

    @property
    def cause(self) -> CloseCause | None:
        return self._closed.cause if self._closed is not None else None

    async def run(self) -> None:
        """Serve the line until the leg is over."""
        self.beside(self._talk())
        self.beside(self._line.cut_when_dead())
        await self._over.wait()
        self._timers.stop_all()
        if self.end is LegEnd.FAILED:
            await self._services.hang_up()
        if self.end in (LegEnd.CLOSED, LegEnd.LOST, LegEnd.BROKEN):
            await self._last_words.collect(self._link)
        await asyncio.gather(*self._tools, return_exceptions=True)
        await self._stop(self._tasks)
        await self._link.close()
        if self.end is LegEnd.TAKEN_OVER:
            self._closed = None
        if self._closed is not None:
            self._record(self._closed)

    def beside(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something that belongs to this leg: it ends with it, and its failure ends the call."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self.task_ended)

    def verdict(self, verdict: str) -> None:
        """The carrier's machine detection has spoken."""
        self._handle(ev.MachineVerdict(verdict), self._loop.time())

    def taken_over(self) -> None:
        """A newer leg holds the call: leave it alone."""
        self.end = LegEnd.TAKEN_OVER
        self._line.cut()
        self._over.set()

    def conclude(self, cause: CloseCause) -> None:
        """The lost line was the end of the call, as became known after it. Only once `run` has returned."""
        self.end, self._closed = LegEnd.CLOSED, Closed(cause, int(self.now_ms))
        self._record(self._closed)

    async def _talk(self) -> None:
        self._perform(self._machine.start(self.now_ms))
        first_frame_ms = self._line_ms(self._line.next_frame_ms)
        self._link.attach(self._handle, self.task_ended, first_frame_ms)
        async for message in self._line.messages():
            self._from_the_line(message)
        if self._machine.is_closing:
            self._handle(ev.PhoneStopped(), self._loop.time())
        elif self.end is None:
            self._perform(self._machine.line_lost(self.now_ms))
        self._leave(LegEnd.BROKEN if self._line.was_let_go else LegEnd.LOST)

    def _from_the_line(self, message: PhoneMessage) -> None:
        if message.event == "media" and message.media is not None:
            began_ms = self._line_ms(self._line.next_frame_ms - FRAME_MS)
            self._link.append(bytes(message.media.payload), began_ms)
        elif message.event == "mark" and message.mark is not None:
            self._handle(ev.MarkReturned(message.mark.name), self._loop.time())
        elif message.event == "dtmf" and message.dtmf is not None:
            self._handle(ev.DigitPressed(message.dtmf.digit), self._loop.time())
        elif message.event == "stop":
            self._handle(ev.PhoneStopped(), self._loop.time())

    def _handle(self, event: ev.Event, at_s: float) -> None:
        """Give the machine an event that came at `at_s`. Its clock never goes back, though frames of two sockets and
        timers are not handled in the order in which they came."""
        if not isinstance(event, _FREQUENT):
            self._last_words.note(event)
        if self.end is None:
            self._handled_ms = max(self._handled_ms, self._moment(at_s))
            self._perform(self._machine.handle(event, self._handled_ms))
        else:
            self._last_words.hear(event, self.now_ms, self._machine.talk.opted_out)

    def _perform(self, actions: list[ac.Action]) -> None:
        for action in actions:
            match action:
                case ac.SendSound(sound):
                    self._line.send_sound(sound)
                    self._machine.first_frame_written(self.now_ms)
                case ac.SendMark(name):
                    self._line.send_mark(name)
                case ac.SendClear():
                    self._line.send_clear()
                case ac.Record(Closed() as closed):
                    # The last entry of the journal: it waits for the last words.
                    self._closed = closed
                case ac.Record(body):
                    self._record(body)
                case ac.SetTimer(name, at_ms):
                    self._timers.set(name, (at_ms - self.now_ms) / 1_000)
                case ac.StopTimer(name):
                    self._timers.stop(name)
                case ac.RunTool(call_id, name, arguments):
                    self._start_tool(call_id, name, arguments)
                case ac.HangUp():
                    self.beside(self._hang_up())
                case ac.OpenModel():
                    self._link.reopen()
                case ac.Finish():
                    self._leave(LegEnd.CLOSED)
                case _:
                    self._link.perform(action)
                    if isinstance(action, ac.CreateReply):
                        self._machine.reply_asked(self.now_ms)

    def _record(self, body: JournalBody) -> None:
        self._seq += 1
        call, fence = self._admitted.call, self._admitted.lease.fence
        entry = JournalEntry(call.call_id, self._seq, fence, body, call.trace_id)
        self._services.journal.write(entry)

    def _timer_fired(self, name: str) -> None:
        self._handle(ev.TimerFired(name), self._loop.time())

    def _start_tool(self, call_id: str, name: str, arguments: str) -> None:
        task = asyncio.create_task(self._run_tool(call_id, name, arguments))
        self._tools.add(task)
        task.add_done_callback(self._tools.discard)
        task.add_done_callback(self.task_ended)

    async def _run_tool(self, call_id: str, name: str, arguments: str) -> None:
        finished = await self._services.tools.run(call_id, name, arguments)
        if self.end is None:
            self._handle(finished, self._loop.time())
            return
        use = ToolUse(
            call_id=call_id,
            name=name,
            arguments=finished.arguments,
            status=finished.status,
            result=finished.result,
            at_ms=int(self.now_ms),
            turn=self._machine.talk.book.agent_number,
        )
        self._record(use)
        if finished.follow_up is not None:
            self._record(finished.follow_up)

    async def _hang_up(self) -> None:
        await self._services.hang_up()

    def _leave(self, end: LegEnd) -> None:
        """The first reason counts."""
        if self.end is None:
            self.end = end
            self._over.set()

    def _failed(self, error: BaseException) -> None:
        """Something of this leg broke: rather than fall silent it is let go, and no other call is touched. The next
        leg goes on where this one was; what breaks again there ends the call."""
        leg = self._admitted.lease.fence
        keys = {"call_id": self._admitted.call.call_id, "leg": leg}
        log.error("a part of the call failed", exc_info=error, extra=keys)
        if self.end is not None:
            return
        if leg < LAST_TRY_LEG:
            self._line.cut()
            self._leave(LegEnd.BROKEN)
            return
        self._closed = Closed(CloseCause.MEDIA_LOST, int(self.now_ms))
        self._leave(LegEnd.FAILED)

    def task_ended(self, task: asyncio.Task[None]) -> None:
        """A task that serves this leg has ended; where it failed, the call ends."""
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._failed(error)

    @staticmethod
    async def _stop(tasks: set[asyncio.Task[None]]) -> None:
        stopping = list(tasks)
        for task in stopping:
            task.cancel()
        await asyncio.gather(*stopping, return_exceptions=True)

    def _moment(self, at_s: float) -> float:
        return (at_s - self._origin_s) * 1_000

    def _line_ms(self, position_ms: int) -> float:
        """From a position in the stream to the call's clock."""
        return self._admitted.elapsed_ms + position_ms
