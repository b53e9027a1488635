"""The detector's clock against the call's."""

from __future__ import annotations

from media_service.model.sound_clock import SoundClock


def clock(*frames_at_ms: float | None) -> SoundClock:
    found = SoundClock(100)
    for at_ms in frames_at_ms:
        found.given(at_ms)
    return found


def test_without_a_gap_they_differ_by_the_sessions_beginning() -> None:
    assert clock(100, 120, 140).call_ms(40) == 140


def test_frames_that_never_came_are_skipped_by_the_detector_only() -> None:
    gap = clock(100, 120, 2_140, 2_160)
    assert gap.call_ms(20) == 120
    assert gap.call_ms(40) == 2_140
    assert gap.call_ms(60) == 2_160


def test_silence_in_place_of_late_frames_is_not_counted_once_they_come() -> None:
    late = clock(100, None, None, 120, 140)
    assert late.call_ms(20) == 120
    assert late.call_ms(60) == 120
    assert late.call_ms(80) == 140


def test_before_the_beginning_it_counts_backwards() -> None:
    assert clock().call_ms(-300) == -200
