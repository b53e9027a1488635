"""Schedules go by the clock that the stack was given."""

from __future__ import annotations

from datetime import timedelta

from tests.integration.local.cloud.conftest import Start
from tests.integration.local.cloud.stack import Stack


async def test_a_schedule_fires_when_its_hour_comes(stack: Stack) -> None:
    await stack.cloud.settle()
    assert stack.book.events["timer"] == []
    stack.clock.moment += timedelta(minutes=2)
    await stack.cloud.settle()
    (event,) = stack.book.events["timer"]
    # Nine in Madrid.
    assert (event["time"], event["source"]) == ("2026-11-24T08:00:00Z", "aws.scheduler")


async def test_a_clock_that_leaps_fires_once_for_the_latest_hour(stack: Stack) -> None:
    stack.clock.moment += timedelta(days=3)
    await stack.cloud.settle()
    assert [event["time"] for event in stack.book.events["timer"]] == ["2026-11-26T08:00:00Z"]


async def test_a_clock_that_is_set_back_arms_the_schedule_anew(stack: Stack) -> None:
    stack.clock.moment += timedelta(minutes=2)
    await stack.cloud.settle()
    stack.clock.moment -= timedelta(days=1)
    await stack.cloud.settle()
    assert len(stack.book.events["timer"]) == 1
    stack.clock.moment += timedelta(days=1)
    await stack.cloud.settle()
    assert len(stack.book.events["timer"]) == 2


async def test_a_duplicated_firing_has_the_same_id(start: Start) -> None:
    stack = await start(duplicate=True)
    stack.clock.moment += timedelta(minutes=2)
    await stack.cloud.settle()
    first, second = stack.book.events["timer"]
    assert first["id"] == second["id"]
