"""The single owner of `response.create`.

The model serves one reply at a time; a second request is refused and then simply never answered. So requests are
queued here (the newest wins), replies of ours are told from others by their tag, what still comes of a cancelled reply
is dropped by its id, and a reply that never starts or never ends is given up by a watchdog.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from media_service.engine.actions import (
    Action,
    AddItem,
    CancelReply,
    CreateReply,
    DeleteItem,
    SetTimer,
    Speaker,
    StopTimer,
)

# A reply that has not begun 5 s after the request, or is silent for 10 s, is stuck (seen live by users of LiveKit).
START_WITHIN_MS = 5_000
GO_ON_WITHIN_MS = 10_000
MAX_RETRIES = 2
RETRY_AFTER_MS = 400
# A cancelled reply ends within some 150 ms; after this long nobody waits for it any more.
WIND_DOWN_WITHIN_MS = 1_500
WATCHDOG = "reply.watchdog"
RETRY = "reply.retry"


class Purpose(StrEnum):
    """Why Sofia speaks."""

    ANSWER = "answer"
    NAME_QUESTION = "name_question"
    TOOL_RESULT = "tool_result"
    NUDGE = "nudge"
    GOODBYE = "goodbye"
    GO_ON = "go_on"


@dataclass(frozen=True, slots=True)
class Request:
    """A wish for a reply; `guidance` is put before it as a trailing system item."""

    purpose: Purpose
    guidance: str | None = None
    retries: int = 0


@dataclass(slots=True)
class ReplyGate:
    """State of the one reply that may be under way."""

    _count: int = 0
    _asked: Request | None = None
    _asked_tag: str | None = None
    _guidance_item: str | None = None
    active_id: str | None = None
    active: Request | None = None
    _queued: Request | None = None
    _cancelled: set[str] = field(default_factory=set)
    _winding_down: str | None = None
    _unwanted_tag: str | None = None

    @property
    def is_busy(self) -> bool:
        """A reply is asked for or under way, and wanted."""
        return self._asked is not None or self.active_id is not None

    @property
    def is_winding_down(self) -> bool:
        """A cancelled reply has not ended yet: the model would refuse another one."""
        return self._winding_down is not None or self._unwanted_tag is not None

    @property
    def has_queued(self) -> bool:
        return self._queued is not None

    def want(self, request: Request, now_ms: float) -> list[Action]:
        """Ask for a reply now, or as soon as the one under way has ended."""
        if self.is_busy or self.is_winding_down:
            self._queued = request
            return [SetTimer(RETRY, now_ms + WIND_DOWN_WITHIN_MS)] if self.is_winding_down else []
        self._count += 1
        tag = f"r{self._count}"
        self._asked, self._asked_tag = request, tag
        actions: list[Action] = []
        if request.guidance:
            self._guidance_item = f"g{self._count}"
            actions.append(AddItem(self._guidance_item, Speaker.SYSTEM, request.guidance))
        actions += [CreateReply(tag), SetTimer(WATCHDOG, now_ms + START_WITHIN_MS)]
        return actions

    def started(self, response_id: str, tag: str | None, now_ms: float) -> list[Action]:
        """A reply began. One that was given up meanwhile, or that nobody asked for, is cancelled."""
        if tag is not None and tag == self._asked_tag:
            self.active_id, self.active = response_id, self._asked
            self._asked = self._asked_tag = None
            return [SetTimer(WATCHDOG, now_ms + GO_ON_WITHIN_MS)]
        self._cancelled.add(response_id)
        if tag is not None and tag == self._unwanted_tag:
            self._unwanted_tag, self._winding_down = None, response_id
        return [CancelReply(response_id)]

    def is_current(self, response_id: str) -> bool:
        """Whether what comes for this reply counts. Stragglers of cancelled replies do not."""
        return response_id == self.active_id

    def progressed(self, now_ms: float) -> list[Action]:
        return [SetTimer(WATCHDOG, now_ms + GO_ON_WITHIN_MS)]

    def ended(self, response_id: str, now_ms: float) -> tuple[Request | None, list[Action]]:
        """A reply is over. Gives the request it answered (None for a cancelled one) and what follows: a request that
        waited goes out now."""
        self._cancelled.discard(response_id)
        if response_id == self._winding_down:
            self._winding_down = None
            return None, [StopTimer(RETRY), *self.release(now_ms)]
        if response_id != self.active_id:
            return None, []
        request = self.active
        self.active_id = self.active = self._guidance_item = None
        return request, [StopTimer(WATCHDOG), *self.release(now_ms)]

    def release(self, now_ms: float) -> list[Action]:
        """Send the request that waited, if any. Called after `WIND_DOWN_WITHIN_MS` it waits no longer."""
        if self.is_busy or self._queued is None:
            return []
        self._winding_down = self._unwanted_tag = None
        request, self._queued = self._queued, None
        return self.want(request, now_ms)

    def cancel(self) -> list[Action]:
        """Give up the reply asked for or under way, and whatever waits."""
        self._queued = None
        actions: list[Action] = [StopTimer(WATCHDOG), StopTimer(RETRY)]
        if self._guidance_item is not None and self.is_busy:
            # Guidance for a reply that was not given must not colour the next one.
            actions.append(DeleteItem(self._guidance_item))
        self._guidance_item = None
        if self.active_id is not None:
            self._cancelled.add(self.active_id)
            self._winding_down = self.active_id
            actions.append(CancelReply(self.active_id))
        elif self._asked_tag is not None:
            # Not begun yet: cancelled when it begins.
            self._unwanted_tag = self._asked_tag
        self.active_id = self.active = None
        self._asked = self._asked_tag = None
        return actions

    def refused(self, request_id: str | None, now_ms: float) -> list[Action]:
        """Our request met a reply that was still under way: ask again once that one is over."""
        if request_id is None or request_id != self._asked_tag or self._asked is None:
            return []
        self._queued = self._queued or self._asked
        self._asked = self._asked_tag = None
        return [SetTimer(RETRY, now_ms + RETRY_AFTER_MS)]

    def stuck(self, now_ms: float) -> tuple[bool, list[Action]]:
        """The watchdog fired. True if it is time for a fresh session instead of another try."""
        request = self.active or self._asked
        if request is None:
            return False, []
        actions = self.cancel()
        if request.retries >= MAX_RETRIES:
            return True, actions
        again = Request(request.purpose, request.guidance, request.retries + 1)
        return False, actions + self.want(again, now_ms)

    def retry(self, request: Request, now_ms: float) -> tuple[bool, list[Action]]:
        """A reply failed. False if it was tried often enough."""
        if request.retries >= MAX_RETRIES:
            return False, []
        self._queued = Request(request.purpose, request.guidance, request.retries + 1)
        delay_ms = RETRY_AFTER_MS * (2**request.retries)
        return True, [SetTimer(RETRY, now_ms + delay_ms)]

    def reset(self) -> None:
        """The session is gone and everything under way with it."""
        self._asked = self._asked_tag = None
        self.active_id = self.active = None
        self._queued = None
        self._winding_down = self._unwanted_tag = None
        self._cancelled.clear()
