"""What is played, and when marks come back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from local.carrier.play_queue import CAPACITY_BYTES, PlayQueue


def test_a_mark_behind_nothing_comes_back_at_once() -> None:
    assert PlayQueue().mark("a") == ["a"]


def test_marks_come_back_when_the_last_frame_before_them_has_been_heard() -> None:
    queue = PlayQueue()
    queue.add(bytes(300))
    assert queue.mark("a") == []
    assert [queue.take()[2] for _ in range(3)] == [[], [], ["a"]]


def test_a_mark_behind_a_frame_that_still_sounds_waits_for_its_end() -> None:
    queue = PlayQueue()
    queue.add(bytes(160))
    queue.take()
    assert queue.mark("a") == []
    assert queue.take()[2] == ["a"]
    assert queue.mark("b") == ["b"]


def test_a_clear_throws_the_sound_away_and_gives_all_marks_back_in_order() -> None:
    queue = PlayQueue()
    for name in "abc":
        queue.add(bytes(160))
        queue.mark(name)
    queue.take()
    queue.take()
    assert queue.clear() == ["b", "c"]
    assert queue.take() == (b"\xff" * 160, 0, [])


def test_more_than_ten_minutes_is_lost() -> None:
    queue = PlayQueue()
    queue.add(bytes(CAPACITY_BYTES))
    queue.add(b"x")
    assert (queue.overflowed, queue.buffered_bytes) == (True, CAPACITY_BYTES)


@given(st.lists(st.binary(min_size=1, max_size=700), max_size=12))
def test_nothing_is_lost_or_repeated(pieces: list[bytes]) -> None:
    queue, played = PlayQueue(), b""
    for piece in pieces:
        queue.add(piece)
    while queue.buffered_bytes:
        frame, taken, _ = queue.take()
        assert len(frame) == 160
        played += frame[:taken]
    assert played == b"".join(pieces)
