"""What was heard, against a line that really plays."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from local.carrier.play_queue import PlayQueue
from media_service.engine.actions import SendClear, SendMark, SendSound
from media_service.engine.playout import LEAD_MS, Playout

steps = st.lists(
    st.one_of(
        st.tuples(st.just("make"), st.integers(0, 5_000)),
        st.tuples(st.just("pass"), st.integers(1, 120)),
        st.tuples(st.just("cough"), st.integers(1, 40)),
        st.tuples(st.just("next"), st.just(0)),
    ),
    max_size=25,
)


class Line:
    """The carrier's own queue, ticking 20 ms frames, with marks back at once. Each item's sound is one byte value, so
    that the line can tell how much of which item it played."""

    def __init__(self, playout: Playout) -> None:
        self.playout, self.queue = playout, PlayQueue()
        self.now = 0.0
        self.heard: Counter[int] = Counter()

    def do(self, actions: list) -> None:
        for action in actions:
            if isinstance(action, SendSound):
                assert len(action.sound) % 160 == 0
                self.queue.add(action.sound)
            elif isinstance(action, SendMark):
                self.back(self.queue.mark(action.name))
            elif isinstance(action, SendClear):
                self.back(self.queue.clear())

    def back(self, names: list[str]) -> None:
        for name in names:
            self.playout.returned(name, self.now)

    def tick(self) -> None:
        self.now += 20
        sound, _taken, due = self.queue.take()
        self.heard.update(sound)
        self.back(due)
        self.do(self.playout.pump(self.now))


class Call:
    """Items made one after the other, some of them empty, with coughs in between."""

    def __init__(self) -> None:
        self.playout = Playout()
        self.line = Line(self.playout)
        self.made: Counter[int] = Counter()
        # What the line played of an item before Sofia went on, less where she went on.
        self.again: Counter[int] = Counter()
        self.item = 1

    def make(self, size: int) -> None:
        self.playout.add(f"i{self.item}", bytes([self.item]) * size)
        self.made[self.item] += size
        self.line.do(self.playout.pump(self.line.now))

    def cough(self, frames: int) -> None:
        item, line, playout = self.item, self.line, self.playout
        playing = playout.heard_ms(f"i{item}", line.now) * 8
        really = line.heard[item] - self.again[item]
        if playing:
            assert abs(playing - really) <= 100 * 8
        line.do(playout.pause(line.now))
        known = playout.heard_ms(f"i{item}", line.now) * 8
        assert known <= self.made[item]
        line.now += 20 * frames
        if playing:
            self.again[item] = line.heard[item] - (known - known % 160)
        line.do(playout.resume(line.now))


@settings(max_examples=150, deadline=None)
@given(steps)
def test_everything_is_heard_in_order_and_the_position_is_right(plan) -> None:
    call = Call()
    for step, amount in plan:
        if step == "next":
            call.item += 1
        elif step == "make":
            call.make(amount)
        elif step == "pass":
            for _ in range(amount):
                call.line.tick()
        elif step == "cough":
            call.cough(amount)
        assert call.line.queue.buffered_bytes <= LEAD_MS * 8 + 1_600
    for item_id in call.playout.open_items():
        call.playout.complete(item_id)
    call.line.do(call.playout.pump(call.line.now))
    for _ in range(call.made.total() // 160 + 200):
        call.line.tick()
    assert call.playout.is_idle
    for item, made in call.made.items():
        assert made - 1_600 <= call.line.heard[item] - max(0, call.again[item])
        assert made <= call.line.heard[item] + 160


def test_marks_that_come_back_because_of_a_clear_are_not_heard() -> None:
    playout = Playout()
    playout.add("a", bytes(16_000))
    sent = playout.pump(0)
    marks = [action.name for action in sent if isinstance(action, SendMark)]
    playout.pause(0)
    for name in marks:
        assert playout.returned(name, 5) is None
    assert playout.heard_ms("a", 5) == 0


def test_a_cut_never_claims_more_than_was_produced() -> None:
    playout = Playout()
    playout.add("a", bytes(801))
    playout.complete("a")
    playout.pump(0)
    playout.pause(10_000)
    (cut,) = playout.drop()
    assert cut.heard_ms <= cut.produced_ms == 100
