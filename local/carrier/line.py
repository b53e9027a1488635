"""An answered phone line: 20 ms of sound each way, what is attached to it, and what was heard."""

from __future__ import annotations

import asyncio
import audioop
from dataclasses import dataclass, field

from local.carrier.far_end import FRAME_MS, SILENCE_FRAME, FarEnd, FarFrame
from local.carrier.settings import StreamFaults
from local.carrier.stream import MediaStream

_AUDIBLE_RMS = 300


@dataclass(slots=True)
class LineSound:
    """What really sounded on a line, byte for byte from the answer on (8 kHz mu-law)."""

    heard: bytearray = field(default_factory=bytearray)
    """By the far end."""
    spoken: bytearray = field(default_factory=bytearray)

    def forget(self) -> None:
        self.heard.clear()
        self.spoken.clear()


@dataclass(slots=True)
class Bridge:
    """A second person on the line. `at_ms` counts from their answer."""

    far_end: FarEnd
    at_ms: int = 0
    said: bytes = SILENCE_FRAME
    hung_up: bool = False


class Line:
    """Ticks every 20 ms from the answer to the end. `last_sound_ms` is -1 until the far end is heard;
    `stream_since_ms` is when the last stream both ways began."""

    def __init__(self, far_end: FarEnd, faults: StreamFaults) -> None:
        self._far_end = far_end
        self._faults = faults
        self._has_died = False
        self._held: list[tuple[bytes, int]] = []
        self.sound = LineSound()
        self.stream: MediaStream | None = None
        self.stream_since_ms = 0
        self.taps: list[MediaStream] = []
        self.bridge: Bridge | None = None
        self.digits: asyncio.Queue[str] = asyncio.Queue()
        self.last_sound_ms = -1
        self.at_ms = 0
        self.hung_up = False
        far_end.answered(0)

    @property
    def quiet_ms(self) -> int:
        """How long the far end has not been heard."""
        return self.at_ms if self.last_sound_ms < 0 else self.at_ms - self.last_sound_ms - FRAME_MS

    def attach(self, stream: MediaStream) -> None:
        """Connect a stream both ways."""
        stream.since_ms = self.stream_since_ms = self.at_ms
        self.stream = stream
        self._held.clear()

    def detach(self) -> None:
        self.stream = None

    def tap(self, stream: MediaStream) -> None:
        """Let a one-way stream listen."""
        stream.since_ms = self.at_ms
        self.taps.append(stream)

    def tick(self) -> None:
        """One frame each way."""
        heard = SILENCE_FRAME
        stream = self.stream
        if stream is not None:
            heard, _, due = stream.queue.take()
            stream.marks(due)
        elif self.bridge is not None:
            heard = self.bridge.said
        far: FarFrame = self._far_end.exchange(heard, self.at_ms)
        self.sound.heard += heard
        self.sound.spoken += far.sound
        if far.sound != SILENCE_FRAME and audioop.rms(audioop.ulaw2lin(far.sound, 2), 2) > (
            _AUDIBLE_RMS
        ):
            self.last_sound_ms = self.at_ms
        if stream is not None:
            self._deliver(stream, far.sound)
        self._tell_others(far, heard)
        self.at_ms += FRAME_MS
        self.hung_up = self.hung_up or far.hang_up

    def _tell_others(self, far: FarFrame, heard: bytes) -> None:
        if far.digit is not None:
            if self.stream is not None:
                self.stream.digit(far.digit)
            else:
                self.digits.put_nowait(far.digit)
        for tap in self.taps:
            tap.fork(far.sound, heard, self.at_ms)
        bridge = self.bridge
        if bridge is not None and not bridge.hung_up:
            other = bridge.far_end.exchange(far.sound, bridge.at_ms)
            bridge.said, bridge.hung_up = other.sound, other.hang_up
            bridge.at_ms += FRAME_MS

    def _deliver(self, stream: MediaStream, sound: bytes) -> None:
        faults, since_ms = self._faults, self.at_ms - stream.since_ms
        if 0 < faults.dies_at_ms <= since_ms and not self._has_died:
            self._has_died = True
            stream.reset()
            return
        if faults.skip_at_ms <= since_ms < faults.skip_at_ms + faults.skip_ms:
            return
        self._held.append((sound, self.at_ms))
        if faults.stall_at_ms <= since_ms < faults.stall_at_ms + faults.stall_ms:
            return
        for held, at_ms in self._held:
            if faults.odd_frames:
                stream.media(held[:101], at_ms)
                stream.media(held[101:], at_ms + 13)
            else:
                stream.media(held, at_ms)
        self._held.clear()
