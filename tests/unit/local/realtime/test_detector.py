"""Turn detection: offsets, thresholds, and the time after which nobody is expected to speak any more."""

from __future__ import annotations

import audioop
import math
import struct
from typing import Any

from local.realtime.detector import Detector, Started, Stopped, TimedOut

QUIET = b"\xff" * 160
DETECTION: dict[str, Any] = {
    "type": "server_vad",
    "threshold": 0.5,
    "prefix_padding_ms": 300,
    "silence_duration_ms": 200,
    "idle_timeout_ms": None,
    "create_response": True,
    "interrupt_response": True,
}


class NotSilent:
    def is_speech(self, frame: bytes) -> bool:
        return frame != QUIET


def tone(dbfs: float, ms: int = 400) -> bytes:
    peak = 32_768 * math.sqrt(2) * 10 ** (dbfs / 20)
    samples = [int(peak * math.sin(i * math.tau / 16)) for i in range(8 * ms)]
    return audioop.lin2ulaw(struct.pack(f"<{len(samples)}h", *samples), 2)


def test_a_turn_is_told_with_its_padding_and_its_silence() -> None:
    detector = Detector(NotSilent())
    found = detector.append(QUIET * 50 + tone(-20) + QUIET * 20, DETECTION)
    assert found[0] == Started(1_000 - 300)
    assert isinstance(found[1], Stopped)
    assert found[1].at_ms == 1_000 + 400 + 200
    assert len(found[1].sound) == 8 * 900


def test_the_start_lies_never_before_the_session() -> None:
    assert Detector(NotSilent()).append(QUIET + tone(-20), DETECTION) == [Started(0)]


def test_a_higher_threshold_needs_louder_speech() -> None:
    def hears(dbfs: float, threshold: float) -> bool:
        settings = {**DETECTION, "threshold": threshold}
        return bool(Detector(NotSilent()).append(tone(dbfs), settings))

    assert hears(-45, 0.5)
    assert not hears(-45, 0.9)
    assert hears(-25, 0.9)


IDLE = {**DETECTION, "idle_timeout_ms": 5_000}


def test_quiet_after_a_reply_times_out() -> None:
    detector = Detector(NotSilent())
    detector.reply_made(playing_ms=1_000)
    assert detector.append(QUIET * 299, IDLE) == []
    (timed_out,) = detector.append(QUIET, IDLE)
    assert isinstance(timed_out, TimedOut)
    assert (timed_out.start_ms, timed_out.at_ms) == (1_000, 6_000)
    assert len(timed_out.sound) == 8 * 5_000
    assert detector.append(QUIET * 1_000, IDLE) == []


def test_speech_or_another_reply_stops_the_wait() -> None:
    spoken = Detector(NotSilent())
    spoken.reply_made(playing_ms=0)
    found = spoken.append(QUIET * 200 + tone(-20) + QUIET * 400, IDLE)
    assert [type(one) for one in found] == [Started, Stopped]
    answered = Detector(NotSilent())
    answered.reply_made(playing_ms=0)
    answered.append(QUIET * 200, IDLE)
    answered.reply_begins()
    assert answered.append(QUIET * 400, IDLE) == []


def test_without_a_timeout_nothing_happens() -> None:
    detector = Detector(NotSilent())
    detector.reply_made(playing_ms=0)
    assert detector.append(QUIET * 2_000, DETECTION) == []
