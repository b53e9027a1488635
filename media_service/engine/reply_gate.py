"""The single owner of `response.create`.

The model serves one reply at a time; a second request is refused and then simply never answered. So requests are
queued here (the newest wins), replies of ours are told from others by their tag, what still comes of a cancelled reply
is dropped by its id, and a reply that never starts or never ends is given up by a watchdog.

    FREE ─want─▶ ASKED ─started─▶ UNDER_WAY ─ended─▶ FREE
                   │ cancel            │ cancel
                   └────────▶ LEAVING ◀┘ ──ended, or nobody waits for it any more──▶ FREE
"""

from __future__ import annotations

from dataclasses import dataclass, replace
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
PROGRESS_WITHIN_MS = 10_000
MAX_RETRIES = 2
RETRY_AFTER_MS = 400
# A cancelled reply ends within some 150 ms; after this long nobody waits for it any more.
LEAVE_WITHIN_MS = 1_500
WATCHDOG = "reply.watchdog"
RETRY = "reply.retry"


class Purpose(StrEnum):
    """Why Sofia speaks."""

    ANSWER = "answer"
    NAME_QUESTION = "name_question"
    SCREENER = "screener"
    TOOL_RESULT = "tool_result"
    NUDGE = "nudge"
    GOODBYE = "goodbye"


@dataclass(frozen=True, slots=True)
class Request:
    """A wish for a reply. `guidance` is put before it as a trailing system item; `guidance_item` names that item once
    it stands in the conversation, so that another try does not put it there again."""

    purpose: Purpose
    guidance: str | None = None
    retries: int = 0
    guidance_item: str | None = None


class GateState(StrEnum):
    FREE = "free"
    ASKED = "asked"
    UNDER_WAY = "under_way"
    LEAVING = "leaving"


@dataclass(frozen=True, slots=True)
class _Ordered:
    """A request that was sent. `response_id` is known once its reply has begun."""

    tag: str
    request: Request
    response_id: str | None = None


class ReplyGate:
    """State of the one reply that may be under way."""

    def __init__(self) -> None:
        self._count = 0
        self._current: _Ordered | None = None
        self._leaving: _Ordered | None = None
        self._queued: Request | None = None

    @property
    def state(self) -> GateState:
        if self._current is not None:
            begun = self._current.response_id is not None
            return GateState.UNDER_WAY if begun else GateState.ASKED
        return GateState.LEAVING if self._leaving is not None else GateState.FREE

    @property
    def is_busy(self) -> bool:
        """A reply is asked for or under way, and wanted."""
        return self._current is not None

    @property
    def has_queued(self) -> bool:
        return self._queued is not None

    def want(self, request: Request, now_ms: float) -> list[Action]:
        """Ask for a reply now, or as soon as the one under way has ended. Whatever waited is replaced."""
        if self.state is not GateState.FREE:
            self._queued = request
            if self.state is GateState.LEAVING:
                return [SetTimer(RETRY, now_ms + LEAVE_WITHIN_MS)]
            return []
        actions: list[Action] = [StopTimer(RETRY)] if self._queued is not None else []
        self._queued = None
        self._count += 1
        tag = f"r{self._count}"
        if request.guidance and request.guidance_item is None:
            request = replace(request, guidance_item=f"g{self._count}")
            actions.append(AddItem(f"g{self._count}", Speaker.SYSTEM, request.guidance or ""))
        self._current = _Ordered(tag, request)
        return [*actions, CreateReply(tag), SetTimer(WATCHDOG, now_ms + START_WITHIN_MS)]

    def started(self, response_id: str, tag: str | None, now_ms: float) -> list[Action]:
        """A reply began. One that was given up meanwhile, or that nobody asked for, is cancelled."""
        current, leaving = self._current, self._leaving
        if current is not None and tag == current.tag:
            self._current = replace(current, response_id=response_id)
            return [SetTimer(WATCHDOG, now_ms + PROGRESS_WITHIN_MS)]
        if leaving is not None and tag == leaving.tag:
            self._leaving = replace(leaving, response_id=response_id)
        return [CancelReply(response_id)]

    def is_current(self, response_id: str) -> bool:
        """Whether what comes for this reply counts. Stragglers of cancelled replies do not."""
        return self._current is not None and response_id == self._current.response_id

    def progressed(self, now_ms: float) -> list[Action]:
        return [SetTimer(WATCHDOG, now_ms + PROGRESS_WITHIN_MS)]

    def ended(self, response_id: str, now_ms: float) -> tuple[Request | None, list[Action]]:
        """A reply is over. Gives the request it answered (None for a cancelled one) and what follows: a request that
        waited goes out now."""
        if self._leaving is not None and response_id == self._leaving.response_id:
            self._leaving = None
            return None, [StopTimer(RETRY), *self.release(now_ms)]
        if not self.is_current(response_id) or self._current is None:
            return None, []
        request, self._current = self._current.request, None
        return request, [StopTimer(WATCHDOG), *self.release(now_ms)]

    def release(self, now_ms: float) -> list[Action]:
        """Send the request that waited, if any; a reply that is still leaving is waited for no longer."""
        if self._queued is None or self._current is not None:
            return []
        self._leaving = None
        return self.want(self._queued, now_ms)

    def cancel(self) -> list[Action]:
        """Give up the reply asked for or under way, and whatever waits."""
        self._queued = None
        actions: list[Action] = [StopTimer(WATCHDOG), StopTimer(RETRY)]
        given_up, self._current = self._current, None
        if given_up is None:
            return actions
        self._leaving = given_up
        if given_up.request.guidance_item is not None:
            # Guidance for a reply that was not given must not colour the next one.
            actions.append(DeleteItem(given_up.request.guidance_item))
        if given_up.response_id is not None:
            actions.append(CancelReply(given_up.response_id))
        return actions

    def refused(self, request_id: str | None, now_ms: float) -> tuple[bool, list[Action]]:
        """The model did not take our request, mostly because another reply was under way: ask again in a moment.
        True if it is time for a fresh session instead."""
        if self._leaving is not None and request_id == self._leaving.tag:
            self._leaving = None
            return False, self.release(now_ms)
        if self._current is None or request_id != self._current.tag:
            return False, []
        refused, self._current = self._current.request, None
        if self._queued is not None:
            return False, [SetTimer(RETRY, now_ms + RETRY_AFTER_MS)]
        again, actions = self.retry(refused, now_ms)
        return not again, [StopTimer(WATCHDOG), *actions]

    def retry(self, request: Request, now_ms: float) -> tuple[bool, list[Action]]:
        """A reply failed. False if it was tried often enough."""
        if request.retries >= MAX_RETRIES:
            return False, []
        self._queued = replace(request, retries=request.retries + 1)
        delay_ms = RETRY_AFTER_MS * (2**request.retries)
        return True, [SetTimer(RETRY, now_ms + delay_ms)]

    def stuck(self, now_ms: float) -> tuple[bool, list[Action]]:
        """The watchdog fired. True if it is time for a fresh session instead of another try."""
        if self._current is None:
            return False, []
        request = self._current.request
        actions = self.cancel()
        if request.retries >= MAX_RETRIES:
            return True, actions
        again = Request(request.purpose, request.guidance, request.retries + 1)
        return False, actions + self.want(again, now_ms)

    def reset(self) -> None:
        """The session is gone and everything under way with it."""
        self._current = self._leaving = self._queued = None
