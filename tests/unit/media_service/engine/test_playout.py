"""What was heard, against a line that really plays."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from local.carrier.play_queue import PlayQueue
from media_service.engine.actions import SendClear, SendMark, SendSound
from media_service.engine.playout import LEAD_MS, Playout

steps = st.lists(
    st.one_of(
        st.tuples(st.just("make"), st.integers(1, 5_000)),
        st.tuples(st.just("pass"), st.integers(1, 120)),
        st.tuples(st.just("cough"), st.integers(1, 40)),
        st.tuples(st.just("finish"), st.just(0)),
    ),
    max_size=25,
)


class Line:
    """The carrier's own queue, ticking 20 ms frames, with marks back at once."""

    def __init__(self, playout: Playout) -> None:
        self.playout, self.queue = playout, PlayQueue()
        self.now, self.heard = 0.0, 0

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
        _sound, taken, due = self.queue.take()
        self.heard += taken
        self.back(due)
        self.do(self.playout.pump(self.now))


@settings(max_examples=150, deadline=None)
@given(steps)
def test_everything_is_heard_in_order_and_the_position_is_right(plan) -> None:
    playout = Playout()
    line = Line(playout)
    made, again = 0, 0
    for step, amount in plan:
        if step == "make":
            playout.add("a", bytes(amount))
            made += amount
            line.do(playout.pump(line.now))
        elif step == "pass":
            for _ in range(amount):
                line.tick()
        elif step == "cough":
            before = playout.heard_ms("a", line.now)
            assert before * 8 <= made
            really = line.heard - again
            line.do(playout.pause(line.now))
            assert abs(before * 8 - really) <= 100 * 8
            known = playout.heard_ms("a", line.now) * 8
            for _ in range(amount):
                line.now += 20
            again = line.heard - (known - known % 160)
            line.do(playout.resume(line.now))
        assert line.queue.buffered_bytes <= LEAD_MS * 8 + 1_600
    playout.complete("a")
    line.do(playout.pump(line.now))
    for _ in range(made // 160 + 200):
        line.tick()
    assert playout.is_idle
    assert made <= line.heard - again + 160


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
