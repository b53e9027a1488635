"""How long a call waits before it is looked at again."""

from __future__ import annotations

from functions.dialer.pace import LONGEST_S, delay_s


def test_the_first_wait_is_short_and_none_is_long() -> None:
    assert {delay_s(1) for _ in range(50)} <= {1, 2}
    assert all(LONGEST_S // 2 <= delay_s(n) <= LONGEST_S for n in (5, 50, 500))


def test_calls_that_wait_together_do_not_come_back_together() -> None:
    assert len({delay_s(9) for _ in range(100)}) > 3
