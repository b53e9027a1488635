"""Recordings as resources: who asked for one, how long it is, whom to tell. The sound itself is the line's account."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from local.carrier.sids import new_sid


class RecordingStatus(StrEnum):
    IN_PROGRESS = "in-progress"
    PAUSED = "paused"
    STOPPED = "stopped"
    COMPLETED = "completed"
    ABSENT = "absent"


class RecordingSource(StrEnum):
    """What began a recording, in Twilio's words."""

    REST = "StartCallRecordingAPI"
    CREATION = "OutboundAPI"
    TWIML = "StartCallRecordingTwiML"
    VERB = "RecordVerb"


@dataclass(slots=True)
class Recording:
    """`started_ms` and `stopped_ms` count from the answer; pauses are left out of the duration."""

    source: RecordingSource
    channels: int
    started_ms: int
    created_at: datetime
    callback: str | None = None
    events: frozenset[str] = frozenset({"completed"})
    sid: str = field(default_factory=lambda: new_sid("RE"))
    status: RecordingStatus = RecordingStatus.IN_PROGRESS
    stopped_ms: int | None = None
    _paused_since_ms: int | None = None
    _paused_ms: int = 0

    @property
    def is_running(self) -> bool:
        return self.status in (RecordingStatus.IN_PROGRESS, RecordingStatus.PAUSED)

    @property
    def duration_s(self) -> int:
        if self.stopped_ms is None:
            return 0
        return max(0, self.stopped_ms - self.started_ms - self._paused_ms) // 1_000

    def pause(self, now_ms: int) -> None:
        if self._paused_since_ms is None:
            self._paused_since_ms = now_ms
        self.status = RecordingStatus.PAUSED

    def resume(self, now_ms: int) -> None:
        if self._paused_since_ms is not None:
            self._paused_ms += now_ms - self._paused_since_ms
            self._paused_since_ms = None
        self.status = RecordingStatus.IN_PROGRESS

    def stop(self, now_ms: int) -> None:
        """Idempotent."""
        if self.stopped_ms is not None:
            return
        self.resume(now_ms)
        self.stopped_ms = now_ms
        self.status = RecordingStatus.COMPLETED
