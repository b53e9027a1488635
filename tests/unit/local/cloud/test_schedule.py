"""Schedule expressions: what the service takes, what it refuses, and when they fire."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.cloud.schedule import Rate, ScheduleError, parse_schedule

START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def firings(expression: str, count: int, zone: str = "UTC", start: datetime = START) -> list[str]:
    schedule = parse_schedule(expression, zone)

    def following():
        moment: datetime | None = start
        while moment is not None:
            moment = schedule.next_after(moment, start)
            if moment is not None:
                yield moment.strftime("%Y-%m-%d %H:%M")

    return list(islice(following(), count))


@pytest.mark.parametrize(
    ("text", "seconds"), [("rate(1 minute)", 60), ("rate(5 minutes)", 300), ("rate(1 day)", 86_400)]
)
def test_rates(text: str, seconds: float) -> None:
    assert parse_schedule(text) == Rate(timedelta(seconds=seconds))


@pytest.mark.parametrize(
    "text",
    [
        *("banana", "rate(1 minutes)", "rate(5 minute)", "rate(0 hours)", "rate(-1 minutes)"),
        *("rate(1 second)", "cron(0 9 * * ? *", "cron(0 9 * * *)", "cron(0 9 * * * *)"),
        *("cron(0 9 ? * ? *)", "cron(60 9 * * ? *)", "cron(0 24 * * ? *)", "cron(0 9 32 * ? *)"),
        *("cron(0 9 * 13 ? *)", "cron(0 9 ? * 8 *)", "cron(0 9 ? * LUN *)", "cron(0 9 * * ? 1900)"),
        *("cron(5-1 9 * * ? *)", "cron(*/0 9 * * ? *)", "cron(, 9 * * ? *)", "cron(0 9 ? * 2#6 *)"),
        *("at(2026-11-24)", "at(2026-13-01T00:00:00)"),
    ],
)
def test_expressions_that_the_service_refuses(text: str) -> None:
    with pytest.raises(ScheduleError):
        parse_schedule(text)


def test_an_unknown_time_zone() -> None:
    with pytest.raises(ScheduleError, match="Mars"):
        parse_schedule("rate(1 minute)", "Mars/North")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("rate(90 minutes)", ["2026-11-24 13:30", "2026-11-24 15:00"]),
        ("cron(0 9 * * ? *)", ["2026-11-25 09:00", "2026-11-26 09:00"]),
        ("cron(*/20 12-13 * * ? *)", ["2026-11-24 12:20", "2026-11-24 12:40", "2026-11-24 13:00"]),
        ("cron(5/20 9 * * ? *)", ["2026-11-25 09:05", "2026-11-25 09:25", "2026-11-25 09:45"]),
        ("cron(0 9 ? * MON-FRI *)", ["2026-11-25 09:00", "2026-11-26 09:00", "2026-11-27 09:00"]),
        ("cron(0 9 ? * SUN,2 *)", ["2026-11-29 09:00", "2026-11-30 09:00"]),
        ("cron(0 0 L * ? *)", ["2026-11-30 00:00", "2026-12-31 00:00"]),
        ("cron(0 8 ? * 2#1 *)", ["2026-12-07 08:00", "2027-01-04 08:00"]),
        ("cron(0 8 ? * 6L *)", ["2026-11-27 08:00", "2026-12-25 08:00"]),
        # The 15th of August 2027 is a Sunday, of May 2027 a Saturday.
        ("cron(0 8 15W MAY,AUG ? 2027)", ["2027-05-14 08:00", "2027-08-16 08:00"]),
        ("at(2026-12-01T08:30:00)", ["2026-12-01 08:30"]),
        ("at(2020-12-01T08:30:00)", []),
        ("cron(0 8 30 FEB ? *)", []),
    ],
)
def test_when_they_fire(expression: str, expected: list[str]) -> None:
    assert firings(expression, max(1, len(expected))) == expected


def test_local_time_follows_summer_time() -> None:
    start = datetime(2027, 3, 26, 12, tzinfo=UTC)
    assert firings("cron(0 9 * * ? *)", 3, "Europe/Madrid", start) == [
        "2027-03-27 08:00",
        "2027-03-28 07:00",
        "2027-03-29 07:00",
    ]


def test_a_time_that_is_left_out_is_skipped_and_one_that_comes_twice_fires_once() -> None:
    spring = datetime(2027, 3, 27, 12, tzinfo=UTC)
    assert firings("cron(30 2 * * ? *)", 1, "Europe/Madrid", spring) == ["2027-03-29 00:30"]
    autumn = datetime(2027, 10, 30, 12, tzinfo=UTC)
    assert firings("cron(30 2 * * ? *)", 2, "Europe/Madrid", autumn) == [
        "2027-10-31 00:30",
        "2027-11-01 01:30",
    ]


@given(
    st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
    st.sampled_from(["rate(7 minutes)", "cron(13 */5 ? * TUE *)", "cron(0 0 1W * ? *)"]),
)
def test_the_next_firing_lies_ahead_and_nothing_lies_between(
    moment: datetime, expression: str
) -> None:
    schedule = parse_schedule(expression, "Europe/Madrid")
    following = schedule.next_after(moment, START - timedelta(days=2_000))
    assert following is not None
    assert following > moment
    just_before = following - timedelta(seconds=1)
    assert schedule.next_after(just_before, START - timedelta(days=2_000)) == following
