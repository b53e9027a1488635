"""Sofia's sound on its way to the callee's ear, and how much of it has been heard.

Sound is sent at most `LEAD_MS` ahead of what is heard, with a mark after every piece. A mark that comes back moves the
heard position; between marks it moves with the time, but never past what was sent. Marks that come back because of our
own `clear` belong to an earlier epoch and move nothing.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from media_service.engine.actions import Action, SendClear, SendMark, SendSound

BYTES_PER_MS = 8
FRAME_BYTES = 160
# Pieces of 200 ms keep the heard position fine and the message rate at ten a second.
PIECE_BYTES = 1_600
LEAD_MS = 2_000
_SILENCE = b"\xff"


@dataclass(slots=True)
class Segment:
    """The sound of one item. `heard` and `sent` count bytes; `complete` means that no more will be produced."""

    item_id: str
    sound: bytearray = field(default_factory=bytearray)
    sent: int = 0
    heard: int = 0
    complete: bool = False

    @property
    def is_heard(self) -> bool:
        return self.complete and self.heard >= len(self.sound)


@dataclass(frozen=True, slots=True)
class Cut:
    """An item that was stopped: how much of it was heard, of how much that exists."""

    item_id: str
    heard_ms: int
    produced_ms: int


@dataclass(frozen=True, slots=True)
class _PendingMark:
    name: str
    segment: Segment
    end: int


class Playout:
    """One for each call. Never holds the callee's sound."""

    def __init__(self) -> None:
        self._segments: deque[Segment] = deque()
        self._marks: deque[_PendingMark] = deque()
        self._epoch = 0
        self._count = 0
        self._anchor_ms = 0.0
        self.paused = False

    @property
    def is_idle(self) -> bool:
        """Nothing is unheard or still to come."""
        return not self._segments

    @property
    def has_unheard_sound(self) -> bool:
        return any(segment.heard < len(segment.sound) for segment in self._segments)

    def unheard_ms(self, now_ms: float) -> int:
        """Sound produced and not yet heard, over all items."""
        total = sum(len(s.sound) - s.heard for s in self._segments)
        return max(0, total // BYTES_PER_MS - int(self._drift_bytes(now_ms)) // BYTES_PER_MS)

    def in_flight_ms(self, now_ms: float) -> int:
        """Sound that was sent and is not heard yet."""
        total = sum(s.sent - s.heard for s in self._segments)
        return max(0, int(total - self._drift_bytes(now_ms)) // BYTES_PER_MS)

    def add(self, item_id: str, sound: bytes) -> None:
        """Append what the model (or a clip) produced for `item_id`."""
        self._segment(item_id).sound.extend(sound)

    def complete(self, item_id: str) -> None:
        """No more sound comes for this item."""
        for segment in self._segments:
            if segment.item_id == item_id:
                segment.complete = True
        self._drop_heard()

    def pump(self, now_ms: float) -> list[Action]:
        """Send what may be sent now."""
        actions: list[Action] = []
        if self.paused:
            return actions
        ahead = sum(s.sent - s.heard for s in self._segments)
        for segment in self._segments:
            while ahead < LEAD_MS * BYTES_PER_MS:
                size = self._next_piece(segment)
                if size == 0:
                    break
                if not self._marks:
                    self._anchor_ms = now_ms
                actions += self._send(segment, size)
                ahead += size
            if segment.sent < len(segment.sound) or not segment.complete:
                break
        return actions

    def returned(self, name: str, now_ms: float) -> str | None:
        """A mark came back. Gives the item whose sound was heard up to it, None for a mark of no meaning."""
        if not any(mark.name == name for mark in self._marks):
            return None
        while self._marks:
            mark = self._marks.popleft()
            mark.segment.heard = max(mark.segment.heard, mark.end)
            if mark.name == name:
                break
        self._anchor_ms = now_ms
        self._drop_heard()
        return mark.segment.item_id

    def assume_heard(self, now_ms: float) -> None:
        """Marks that are overdue will not come: what was sent counts as heard, so that the call goes on."""
        for segment in self._segments:
            segment.heard = segment.sent
        self._marks.clear()
        self._anchor_ms = now_ms
        self._drop_heard()

    def heard_ms(self, item_id: str, now_ms: float) -> int:
        """How much of an item that is still in the playout has been heard."""
        for index, segment in enumerate(self._segments):
            if segment.item_id == item_id:
                drift = self._drift_bytes(now_ms) if index == self._current() else 0
                return int(min(segment.heard + drift, segment.sent)) // BYTES_PER_MS
        return 0

    def open_items(self) -> list[str]:
        """Items whose sound is not complete yet."""
        return [segment.item_id for segment in self._segments if not segment.complete]

    def holds(self, item_id: str) -> bool:
        """Whether something of this item is still unheard or to come."""
        return any(segment.item_id == item_id for segment in self._segments)

    def pause(self, now_ms: float) -> list[Action]:
        """Stop at once: what the carrier holds is thrown away, what is unheard is kept."""
        if self.paused:
            return []
        current = self._current()
        if current is not None:
            segment = self._segments[current]
            segment.heard = int(min(segment.heard + self._drift_bytes(now_ms), segment.sent))
        in_flight = bool(self._marks)
        self.paused = True
        self._epoch += 1
        self._marks.clear()
        for segment in self._segments:
            # Resuming on a frame boundary repeats less than 20 ms.
            segment.sent = segment.heard - segment.heard % FRAME_BYTES
        return [SendClear()] if in_flight else []

    def resume(self, now_ms: float) -> list[Action]:
        """Go on from the first unheard byte."""
        self.paused = False
        return self.pump(now_ms)

    def rewind(self, item_id: str) -> None:
        """Forget that anything of this item was heard (the opening starts anew). Only while paused."""
        for segment in self._segments:
            if segment.item_id == item_id:
                segment.heard = segment.sent = 0

    def drop(self) -> list[Cut]:
        """Throw away everything unheard; only after `pause`. Says what was cut, in order."""
        cuts = [
            Cut(s.item_id, s.heard // BYTES_PER_MS, len(s.sound) // BYTES_PER_MS)
            for s in self._segments
        ]
        self._segments.clear()
        self._marks.clear()
        self.paused = False
        return cuts

    def _segment(self, item_id: str) -> Segment:
        for segment in self._segments:
            if segment.item_id == item_id:
                return segment
        # Items are spoken one after the other: what comes later ends what was there.
        for earlier in self._segments:
            earlier.complete = True
        self._drop_heard()
        segment = Segment(item_id)
        self._segments.append(segment)
        return segment

    def _next_piece(self, segment: Segment) -> int:
        available = len(segment.sound) - segment.sent
        if available >= FRAME_BYTES:
            return min(PIECE_BYTES, available - available % FRAME_BYTES)
        return available if segment.complete else 0

    def _send(self, segment: Segment, size: int) -> list[Action]:
        piece = bytes(segment.sound[segment.sent : segment.sent + size])
        segment.sent += size
        padding = -size % FRAME_BYTES
        self._count += 1
        name = f"{self._epoch}.{self._count}"
        self._marks.append(_PendingMark(name, segment, segment.sent))
        return [SendSound(piece + _SILENCE * padding), SendMark(name)]

    def _current(self) -> int | None:
        for index, segment in enumerate(self._segments):
            if segment.heard < len(segment.sound):
                return index
        return None

    def _drift_bytes(self, now_ms: float) -> float:
        """Bytes heard since the last mark by the clock, within the piece that is playing."""
        if not self._marks:
            return 0.0
        mark = self._marks[0]
        return min((now_ms - self._anchor_ms) * BYTES_PER_MS, mark.end - mark.segment.heard)

    def _drop_heard(self) -> None:
        while self._segments and self._segments[0].is_heard:
            self._segments.popleft()
