"""A session's responses: begun, thought about, performed, cancelled, ended."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Awaitable, Callable

from local.realtime.client_events import ResponseWish
from local.realtime.codec import Codec
from local.realtime.conversation import Item
from local.realtime.detector import Detector
from local.realtime.errors import SERVER_ERROR, Refusal
from local.realtime.meter import Meter
from local.realtime.mind.port import Mind
from local.realtime.reply import Response, Speaking
from local.realtime.response_request import Request, requested
from local.realtime.state import SessionState
from local.speech.ports import Voice

log = logging.getLogger(__name__)
Cut = Callable[[int], Awaitable[None]]
LATE_DONE_S = 1.0
_STALLED_S = 3_600.0
_RATE_LIMITS_SHARE = 0.8
"""Of the responses are followed by `rate_limits.updated`."""


class Responder:
    """At most one response of the default conversation at a time, any number beside it."""

    def __init__(
        self,
        state: SessionState,
        detector: Detector,
        voice: Voice,
        mind: Mind,
        hear: Callable[[Item], None],
        cut: Cut,
    ) -> None:
        """`hear` begins to listen to an item's sound; `cut` closes the socket with a code."""
        self._state = state
        self._detector = detector
        self._voice = voice
        self._mind = mind
        self._hear = hear
        self._cut = cut
        self._created = asyncio.Event()
        self._meter = Meter()
        self._responses: dict[str, Response] = {}
        self.active: Response | None = None
        faults = state.settings.faults
        self._left = Counter(
            {
                "fail": faults.fail_responses,
                "stall": faults.stall_responses,
                "incomplete": faults.incomplete_responses,
                "close": faults.close_mid_response,
                "late": faults.late_done,
            }
        )

    async def create(self, wish: ResponseWish) -> None:
        """Begin a response; raises Refusal."""
        aside = wish.conversation == "none"
        if not aside and self.active is not None:
            raise Refusal(
                "conversation_already_has_active_response",
                "Conversation already has an active response in progress: "
                f"{self.active.id}. Wait until the response is finished before creating a new one.",
            )
        request, response = requested(self._state, wish, self._hear)
        if not aside:
            self.active = response
            self._detector.reply_begins()
        self._responses[response.id] = response
        self._created.set()
        await self._state.emit("response.created", response=response.on_the_wire())
        self._state.background.spawn(self._respond(response, request))

    def cancel(self, response_id: str | None) -> None:
        """As a client asks for it; takes effect a little later. Raises Refusal."""
        response = self._responses.get(response_id) if response_id else self.active
        if response is None:
            raise Refusal(
                "response_cancel_not_active",
                "Cancellation failed: no active response found",
            )
        self._state.background.spawn(self._cancel_soon(response))

    def interrupt(self) -> None:
        """As the service's own turn detection does it: at once, and only in the default conversation."""
        if self.active is not None:
            self.active.cancel("turn_detected")

    async def _cancel_soon(self, response: Response) -> None:
        least_ms, most_ms = self._state.settings.cancel_ms
        await asyncio.sleep(self._state.random.uniform(least_ms, most_ms) / 1_000)
        response.cancel("client_cancelled")

    async def _respond(self, response: Response, request: Request) -> None:
        try:
            await self._make(response, request)
        except Exception:
            # Whatever goes wrong inside the service reaches its client as the end of the response.
            log.exception("a response could not be made")
            self._state.errors.append("server_error")
            self._fail(response, "server_error")
        finally:
            del self._responses[response.id]
            if self.active is response:
                self.active = None
        if self._takes("late"):
            self._created.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._created.wait(), LATE_DONE_S)
        await self._tell_end(response)

    async def _tell_end(self, response: Response) -> None:
        faults = self._state.settings.faults
        if faults.missing_usage:
            response.usage = None
        played_ms = sum(item.generated_ms for item in response.output)
        if played_ms and response.conversation_id is not None and self.active is None:
            self._detector.reply_made(played_ms)
        await self._state.emit("response.done", response=response.on_the_wire())
        if self._state.random.random() < _RATE_LIMITS_SHARE and not faults.missing_rate_limits:
            limit = {
                "name": "tokens",
                "limit": 800_000,
                "remaining": 790_000,
                "reset_seconds": 0.1,
            }
            await self._state.emit("rate_limits.updated", rate_limits=[limit])

    async def _make(self, response: Response, request: Request) -> None:
        await self._think(response, request)
        if self._takes("fail"):
            self._fail(response, self._state.settings.faults.fail_code)
            return
        blocks = request.blocks()
        if not response.cancelled:
            if self._takes("incomplete"):
                response.incomplete = self._state.settings.faults.incomplete_reason
            await self._speaking(response).perform(response, self._mind.reply(request.view()))
        response.usage = self._meter.usage(blocks, response.output)
        response.finish()

    async def _think(self, response: Response, request: Request) -> None:
        """Hear all that is to be answered, and let the usual time pass."""
        settings, loop = self._state.settings, asyncio.get_running_loop()
        spread = self._state.random.uniform(-settings.jitter_ms, settings.jitter_ms)
        ready_s = loop.time() + (settings.think_ms + spread) / 1_000
        if self._takes("stall"):
            await asyncio.sleep(_STALLED_S)
        open_ears = [item.transcript for item in request.items if item.transcript is not None]
        if open_ears:
            await asyncio.wait(open_ears)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(ready_s):
                await response.until_cancelled()

    def _speaking(self, response: Response) -> Speaking:
        closes = self._takes("close")

        async def on_sound() -> None:
            self._state.has_spoken = True
            if closes:
                await self._cut(self._state.settings.faults.close_code)

        codec = Codec(response.audio_output["format"]["type"])
        return Speaking(self._state, self._voice, codec, on_sound)

    def _fail(self, response: Response, code: str) -> None:
        for item in response.output:
            if item.status == "in_progress":
                item.status = "incomplete"
        error = {"type": "server_error", "code": code, "message": SERVER_ERROR}
        response.status, response.details = "failed", {"type": "failed", "error": error}

    def _takes(self, fault: str) -> bool:
        """Whether a counted fault strikes now; it is used up thereby."""
        strikes = self._left[fault] > 0
        self._left[fault] -= strikes
        return strikes
