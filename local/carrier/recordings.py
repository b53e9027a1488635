"""Recordings as resources: who asked for one, which stretches of the line it holds, whom to tell."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from local.carrier.address import Address
from local.carrier.line import LineSound
from local.carrier.sids import new_sid
from local.carrier.wav import mono_wav, stereo_wav

_BYTES_PER_MS = 8
RECORDING_EVENTS = frozenset({"in-progress", "completed", "absent"})


class RecordingStatus(StrEnum):
    IN_PROGRESS = "in-progress"
    PAUSED = "paused"
    STOPPED = "stopped"
    COMPLETED = "completed"


class RecordingSource(StrEnum):
    """What began a recording, in Twilio's words."""

    REST = "StartCallRecordingAPI"
    CREATION = "OutboundAPI"
    TWIML = "StartCallRecordingTwiML"
    VERB = "RecordVerb"


@dataclass(frozen=True, slots=True)
class RecordingOrder:
    """How to record. One channel mixes both sides; of two the first is the far end's."""

    channels: int = 1
    track: str = "both"
    callback: Address | None = None
    events: frozenset[str] = frozenset({"completed"})


@dataclass(slots=True)
class Recording:
    """`stretches` are what it holds, as (from, to) in ms from the answer; the last one is open while it runs."""

    source: RecordingSource
    order: RecordingOrder
    created_at: datetime
    sid: str = field(default_factory=lambda: new_sid("RE"))
    status: RecordingStatus = RecordingStatus.IN_PROGRESS
    stretches: list[tuple[int, int]] = field(default_factory=list)
    _since_ms: int | None = None

    @property
    def is_running(self) -> bool:
        return self.status in (RecordingStatus.IN_PROGRESS, RecordingStatus.PAUSED)

    @property
    def duration_s(self) -> int:
        return sum(to_ms - from_ms for from_ms, to_ms in self.stretches) // 1_000

    def resume(self, now_ms: int) -> None:
        """Record from here on; idempotent."""
        if self._since_ms is None:
            self._since_ms = now_ms
        self.status = RecordingStatus.IN_PROGRESS

    def pause(self, now_ms: int) -> None:
        """Leave out what comes; idempotent."""
        if self._since_ms is not None:
            self.stretches.append((self._since_ms, now_ms))
            self._since_ms = None
        self.status = RecordingStatus.PAUSED

    def stop(self, now_ms: int) -> None:
        self.pause(now_ms)
        self.status = RecordingStatus.COMPLETED

    def wav(self, sound: LineSound) -> bytes:
        """The recorded sound."""
        far_end, application = (self._part(side) for side in (sound.spoken, sound.heard))
        if self.order.channels > 1:
            return stereo_wav(far_end, application)
        if self.source is RecordingSource.VERB or self.order.track == "inbound":
            return mono_wav(far_end)
        return (
            mono_wav(application)
            if self.order.track == "outbound"
            else mono_wav(far_end, application)
        )

    def _part(self, side: bytearray) -> bytes:
        return b"".join(
            bytes(side[from_ms * _BYTES_PER_MS : to_ms * _BYTES_PER_MS])
            for from_ms, to_ms in self.stretches
        )
