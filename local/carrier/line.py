"""An answered phone line: 20 ms of sound each way, what is attached to it, and what was heard."""

from __future__ import annotations

import asyncio
import audioop
import wave
from dataclasses import dataclass, field
from pathlib import Path

from local.carrier.far_end import FRAME_MS, SILENCE_FRAME, FarEnd, FarFrame
from local.carrier.settings import StreamFaults
from local.carrier.stream import MediaStream, Track

_AUDIBLE_RMS = 300


@dataclass(slots=True)
class Account:
    """What really happened on a line, for comparison with what the application believes. Times in ms from the
    answer. `played` lists stretches of the application's sound as (start, bytes)."""

    played: list[tuple[int, bytearray]] = field(default_factory=list)
    clears_ms: list[int] = field(default_factory=list)
    heard: bytearray = field(default_factory=bytearray)
    spoken: bytearray = field(default_factory=bytearray)


@dataclass(slots=True)
class Bridge:
    """A second person on the line. `at_ms` counts from their answer."""

    far_end: FarEnd
    at_ms: int = 0
    said: bytes = SILENCE_FRAME
    hung_up: bool = False


class Line:
    """Ticks every 20 ms from the answer to the end."""

    def __init__(self, far_end: FarEnd, faults: StreamFaults) -> None:
        self._far_end = far_end
        self._faults = faults
        self._held: list[tuple[bytes, int]] = []
        self.account = Account()
        self.stream: MediaStream | None = None
        self.stream_since_ms = 0
        self.taps: list[MediaStream] = []
        self.bridge: Bridge | None = None
        self.digits: asyncio.Queue[str] = asyncio.Queue()
        self.last_sound_ms = 0
        self.at_ms = 0
        self.hung_up = False
        far_end.answered(0)

    def attach(self, stream: MediaStream) -> None:
        self.stream, self.stream_since_ms = stream, self.at_ms
        self._held.clear()

    def detach(self) -> None:
        self.stream = None

    def cleared(self) -> None:
        self.account.clears_ms.append(self.at_ms)

    def tick(self) -> None:
        """One frame each way."""
        heard, taken = SILENCE_FRAME, 0
        due: list[str] = []
        stream = self.stream
        if stream is not None:
            heard, taken, due = stream.queue.take()
        elif self.bridge is not None:
            heard = self.bridge.said
        if taken:
            self._played(heard[:taken])
        far: FarFrame = self._far_end.exchange(heard, self.at_ms)
        self.account.heard += heard
        self.account.spoken += far.sound
        if far.sound != SILENCE_FRAME and audioop.rms(audioop.ulaw2lin(far.sound, 2), 2) > (
            _AUDIBLE_RMS
        ):
            self.last_sound_ms = self.at_ms
        if stream is not None:
            stream.marks(due)
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
        faults, since_ms = self._faults, self.at_ms - self.stream_since_ms
        if faults.skip_at_ms <= since_ms < faults.skip_at_ms + faults.skip_ms:
            return
        self._held.append((sound, since_ms))
        if faults.stall_at_ms <= since_ms < faults.stall_at_ms + faults.stall_ms:
            return
        for held, timestamp_ms in self._held:
            if faults.odd_frames:
                stream.media(held[:101], timestamp_ms)
                stream.media(held[101:], timestamp_ms + 13)
            else:
                stream.media(held, timestamp_ms, Track.INBOUND)
        self._held.clear()

    def _played(self, sound: bytes) -> None:
        stretches = self.account.played
        if stretches:
            start_ms, before = stretches[-1]
            if start_ms + len(before) // 8 >= self.at_ms - FRAME_MS // 2:
                before += sound
                return
        stretches.append((self.at_ms, bytearray(sound)))

    def record(self, path: Path) -> None:
        """A stereo WAV: the callee left, what the callee heard right."""
        left = audioop.ulaw2lin(bytes(self.account.spoken), 2)
        right = audioop.ulaw2lin(bytes(self.account.heard), 2)
        stereo = audioop.add(audioop.tostereo(left, 2, 1, 0), audioop.tostereo(right, 2, 0, 1), 2)
        with wave.open(str(path), "wb") as file:
            file.setnchannels(2)
            file.setsampwidth(2)
            file.setframerate(8_000)
            file.writeframes(stereo)
