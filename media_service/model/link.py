"""One call's way to the speech model: a session is opened, what comes too early is held, a lost one is replaced.

The first session is prepared while the stream is still being admitted; nobody hears of it until somebody attaches.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from media_service.engine import events as ev
from media_service.engine.actions import Action
from media_service.model.port import ModelSession, ModelUnavailable, SpeechModel
from media_service.model.sound_clock import SoundClock
from media_service.phone.wire import FRAME_MS

log = logging.getLogger(__name__)
# A minute of the callee's sound; whoever waits longer for a session has hung up.
MAX_HELD_FRAMES = 3_000
OPEN_TRIES = 3
FIRST_PAUSE_S = 0.2
# The detector's clock is the sound it was given: without frames a turn would never end.
STALL_S = 0.3
SILENCE_PAYLOAD = b'"' + b"/" * 213 + b'w=="'

# An event, and the event loop's time at which it came.
Hear = Callable[[ev.Event, float], None]
Died = Callable[[asyncio.Task[None]], None]


class ModelLink:
    """Sessions of one call, one after the other."""

    def __init__(self, model: SpeechModel) -> None:
        self._model = model
        self._loop = asyncio.get_running_loop()
        self._attached = asyncio.Event()
        self._hear: Hear = lambda _event, _at_s: None
        self._died: Died = lambda _task: None
        self._session: ModelSession | None = None
        self._serving: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: list[tuple[bytes, float]] = []
        self._clock = SoundClock(0.0)
        self._next_frame_ms = 0.0
        self._base_ms = 0.0
        self._last_frame_s = self._loop.time()
        self._waiting: list[Action] = []
        self._speaking = False

    def prepare(self) -> None:
        """Begin to open a session."""
        self._serving = self._spawn(self._serve)

    def attach(self, hear: Hear, died: Died, next_frame_ms: float) -> None:
        """From here on `hear` gets what the sessions say, `died` a task that failed. `next_frame_ms` is where on the
        call's clock the first frame of the callee's sound will lie."""
        self._hear, self._died, self._next_frame_ms = hear, died, next_frame_ms
        self._attached.set()
        if self._serving is not None and self._serving.done():
            died(self._serving)

    def append(self, payload: bytes, at_ms: float) -> None:
        """A frame of the callee's sound, which began at `at_ms` of the call."""
        self._last_frame_s = self._loop.time()
        self._next_frame_ms = at_ms + FRAME_MS
        if self._session is not None:
            self._clock.given(at_ms)
            self._session.append(payload)
        elif len(self._held) < MAX_HELD_FRAMES:
            self._held.append((payload, at_ms))

    def perform(self, action: Action) -> None:
        """Now, or as soon as a session is there."""
        if self._session is None:
            self._waiting.append(action)
        else:
            self._session.perform(action)

    def commit(self, request_id: str) -> bool:
        """End the utterance under way; False where there is no session that could."""
        if self._session is None:
            return False
        self._session.commit(request_id)
        return True

    def reopen(self) -> None:
        """A fresh session in place of the present one; what waited for that is not sent."""
        if self._serving is not None:
            self._serving.cancel()
        self._forget_session()
        self.prepare()

    async def close(self) -> None:
        """Leave no session open. Idempotent."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _forget_session(self) -> None:
        self._session, self._speaking = None, False
        self._waiting.clear()

    async def _serve(self) -> None:
        """Open a session, hand it what waited, and read it until it is gone."""
        try:
            session = await self._open()
        except ModelUnavailable as error:
            await self._attached.wait()
            self._hear(ev.ModelUnavailable(error.code), self._loop.time())
            return
        filler: asyncio.Task[None] | None = None
        try:
            await self._attached.wait()
            self._begin(session)
            filler = self._spawn(self._fill_stalls)
            async for arrival in session.events():
                if self._session is not session:
                    return
                event = self._on_the_calls_clock(arrival.event)
                self._note(event)
                self._hear(event, arrival.at_s)
        finally:
            if filler is not None:
                filler.cancel()
            await session.close()

    async def _open(self) -> ModelSession:
        for attempt in range(1, OPEN_TRIES + 1):
            try:
                return await self._model.open()
            except ModelUnavailable as error:
                log.warning("no model session", extra={"code": error.code, "attempt": attempt})
                if error.is_final or attempt == OPEN_TRIES:
                    raise
            await asyncio.sleep(FIRST_PAUSE_S * 2 ** (attempt - 1))
        raise AssertionError("unreachable")

    def _begin(self, session: ModelSession) -> None:
        held, self._held = self._held, []
        waiting, self._waiting = self._waiting, []
        self._session = session
        base_ms = held[0][1] if held else self._next_frame_ms
        self._clock = SoundClock(base_ms)
        self._base_ms = base_ms
        self._hear(ev.ModelReady(base_ms), self._loop.time())
        for action in waiting:
            session.perform(action)
        for payload, at_ms in held:
            self._clock.given(at_ms)
            session.append(payload)

    def _on_the_calls_clock(self, event: ev.Event) -> ev.Event:
        """Moments of speech as if no frame had been lost or put in since the session began."""
        if isinstance(event, ev.SpeechStarted | ev.SpeechStopped):
            return replace(event, at_ms=int(self._clock.call_ms(event.at_ms) - self._base_ms))
        return event

    def _note(self, event: ev.Event) -> None:
        if isinstance(event, ev.SpeechStarted):
            self._speaking = True
        elif isinstance(event, ev.SpeechStopped):
            self._speaking = False
        elif isinstance(event, ev.ModelLost):
            # What the callee says from here on waits for the next session.
            self._forget_session()

    async def _fill_stalls(self) -> None:
        """While the carrier's frames stop, silence goes to the model in their place, in real time."""
        while True:
            await asyncio.sleep(STALL_S)
            missing_s = self._loop.time() - self._last_frame_s
            if missing_s >= STALL_S and self._speaking and self._session is not None:
                for _ in range(int(missing_s * 1_000) // FRAME_MS):
                    self._clock.given()
                    self._session.append(SILENCE_PAYLOAD)
                self._last_frame_s = self._loop.time()

    def _spawn(self, work: Callable[[], Coroutine[Any, Any, None]]) -> asyncio.Task[None]:
        task = asyncio.create_task(work())
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._died(task)
