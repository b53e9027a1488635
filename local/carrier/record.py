"""What the carrier keeps of a call, whichever leg it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from local.carrier.detection import Detected
from local.carrier.orders import CallOrder
from local.carrier.recordings import Recording
from local.carrier.settings import system_now
from local.carrier.sids import new_sid
from local.carrier.stream import MediaStream
from local.carrier.webhooks import Exchange

TERMINAL = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})


@dataclass(frozen=True, slots=True)
class Note:
    """A warning or error in the carrier's debugger."""

    code: int
    at: datetime
    url: str = ""


@dataclass
class CallRecord:
    """The resource behind one SID. Status: `queued ringing in-progress` and the terminal ones."""

    request: CallOrder
    now: Callable[[], datetime] = system_now
    sid: str = field(default_factory=lambda: new_sid("CA"))
    status: str = "queued"
    created_at: datetime = field(init=False)
    answered_at: datetime | None = field(default=None, init=False)
    ended_at: datetime | None = field(default=None, init=False)
    detected: Detected | None = None
    queue_ms: int = 0
    price_usd: float | None = None
    notes: list[Note] = field(default_factory=list)
    events: list[Exchange] = field(default_factory=list)
    recordings: dict[str, Recording] = field(default_factory=dict)
    one_way_streams: dict[str, MediaStream] = field(default_factory=dict)
    _answered_s: float | None = field(default=None, init=False)
    _ended_s: float | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.created_at = self.now()

    @property
    def is_over(self) -> bool:
        return self.status in TERMINAL

    @property
    def direction(self) -> str:
        return "outbound-dial" if self.request.parent_sid else "outbound-api"

    @property
    def answered_by(self) -> str | None:
        return self.detected.verdict.value if self.detected else None

    @property
    def seconds_since_answer(self) -> float:
        return 0.0 if self._answered_s is None else time.monotonic() - self._answered_s

    @property
    def duration_s(self) -> int:
        """0 where nobody answered, at least 1 otherwise."""
        if self._answered_s is None or self._ended_s is None:
            return 0
        return max(1, round(self._ended_s - self._answered_s))

    def mark_answered(self) -> None:
        """Somebody has picked up."""
        self.status, self.answered_at = "in-progress", self.now()
        self._answered_s = time.monotonic()

    def mark_ended(self, status: str) -> None:
        """The call is over, with a terminal status."""
        self.status, self.ended_at = status, self.now()
        self._ended_s = time.monotonic()

    def end(self, status: str) -> None:
        """End the call from outside, as `completed` or `canceled`."""
        raise NotImplementedError

    def note(self, code: int, url: str = "") -> None:
        self.notes.append(Note(code, self.now(), url))
