"""Schedule expressions of EventBridge and its Scheduler: `rate(...)`, `cron(...)` with six fields, `at(...)`.

Neither the emulated cloud nor the linters look into them, so that everything the service refuses is refused here.

    ScheduleError   the expression is not one; the text says what is wrong with it
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

# How far ahead a cron expression is searched. One that names a later year is as good as one that never fires.
HORIZON_DAYS = 8 * 366
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)(s?)\)")
_UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
_MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_WEEKDAYS = {
    name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)
}


class ScheduleError(Exception):
    """The schedule expression is not valid; the text says why."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Every so often, counted from when the schedule was made."""

    every: timedelta

    def next_after(self, moment: datetime, start: datetime) -> datetime | None:
        """The first firing later than `moment`; the first of all is one period after `start`."""
        passed = max(0, (moment - start) // self.every)
        return start + (passed + 1) * self.every


@dataclass(frozen=True, slots=True)
class At:
    """Once."""

    moment: datetime

    def next_after(self, moment: datetime, start: datetime) -> datetime | None:
        """The moment, while it lies ahead."""
        return self.moment if self.moment > max(moment, start) else None


@dataclass(frozen=True, slots=True)
class Cron:
    """Minutes, hours, months and years that fit, and a test of the day."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: frozenset[int]
    years: frozenset[int]
    fits_day: Callable[[date], bool]
    zone: ZoneInfo

    def next_after(self, moment: datetime, start: datetime) -> datetime | None:
        """The first firing later than both; None where none comes within the horizon."""
        after = max(moment, start)
        first = after.astimezone(self.zone).date()
        for day in (first + timedelta(days=n) for n in range(HORIZON_DAYS)):
            if day.month in self.months and day.year in self.years and self.fits_day(day):
                found = next((at for at in self._moments(day) if at > after), None)
                if found is not None:
                    return found
        return None

    def _moments(self, day: date) -> Iterator[datetime]:
        for hour in self.hours:
            for minute in self.minutes:
                local = datetime.combine(day, time(hour, minute), self.zone)
                moment = local.astimezone(UTC)
                # A wall-clock time that the change to summer time leaves out is skipped; one that comes twice
                # in autumn fires once (EventBridge Scheduler's documentation).
                if moment.astimezone(self.zone).replace(tzinfo=None) == local.replace(tzinfo=None):
                    yield moment


Schedule = Rate | Cron | At


def parse_schedule(expression: str, zone_name: str = "UTC") -> Schedule:
    """The schedule that an expression describes; raises ScheduleError."""
    try:
        zone = ZoneInfo(zone_name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ScheduleError(f"the time zone {zone_name!r} is not known") from error
    if expression.startswith("rate("):
        return _rate(expression)
    if expression.startswith("cron(") and expression.endswith(")"):
        return _cron(expression[5:-1], expression, zone)
    if expression.startswith("at(") and expression.endswith(")"):
        try:
            local = datetime.strptime(expression[3:-1], "%Y-%m-%dT%H:%M:%S")
        except ValueError as error:
            raise ScheduleError(f"{expression!r} needs at(yyyy-mm-ddThh:mm:ss)") from error
        return At(local.replace(tzinfo=zone).astimezone(UTC))
    raise ScheduleError(f"{expression!r} is neither rate(...), cron(...) nor at(...)")


def _rate(expression: str) -> Rate:
    match = _RATE.fullmatch(expression)
    if match is None:
        raise ScheduleError(f"{expression!r} needs rate(1 minute), rate(5 minutes), hours or days")
    count, unit, plural = int(match[1]), match[2], match[3]
    if count < 1:
        raise ScheduleError(f"{expression!r} needs a positive number")
    if (count > 1) != bool(plural):
        raise ScheduleError(f"{expression!r} needs the {'plural' if count > 1 else 'singular'}")
    return Rate(count * _UNITS[unit])


def _cron(fields_text: str, expression: str, zone: ZoneInfo) -> Cron:
    fields = fields_text.split()
    if len(fields) != 6:
        raise ScheduleError(
            f"{expression!r} needs six fields: minutes hours day-of-month month day-of-week year"
        )
    minutes, hours, month_days, months, week_days, years = fields
    if (month_days == "?") == (week_days == "?"):
        raise ScheduleError(
            f"{expression!r} needs ? as exactly one of day-of-month and day-of-week"
        )
    try:
        fits_day = _month_day(month_days) if week_days == "?" else _week_day(week_days)
        return Cron(
            minutes=tuple(sorted(_numbers(minutes, 0, 59))),
            hours=tuple(sorted(_numbers(hours, 0, 23))),
            months=_numbers(months, 1, 12, _MONTHS),
            years=_numbers(years, 1970, 2199),
            fits_day=fits_day,
            zone=zone,
        )
    except ValueError as error:
        raise ScheduleError(f"{expression!r}: {error}") from error


def _numbers(
    field: str, low: int, high: int, names: dict[str, int] | None = None
) -> frozenset[int]:
    """All numbers that a field of a cron expression names; raises ValueError."""
    found: set[int] = set()
    for part in field.split(","):
        span, _, step_text = part.partition("/")
        first_text, dash, last_text = span.partition("-")
        first = low if span == "*" else _number(first_text, low, high, names)
        if span == "*" or (step_text and not dash):
            last = high
        else:
            last = _number(last_text, low, high, names) if dash else first
        step = _number(step_text, 1, high, None) if "/" in part else 1
        if last < first:
            raise ValueError(f"the range {span} runs backwards")
        found.update(range(first, last + 1, step))
    return frozenset(found)


def _number(text: str, low: int, high: int, names: dict[str, int] | None) -> int:
    number = (names or {}).get(text.upper())
    if number is None:
        if not text.isdigit():
            raise ValueError(f"{text or 'an empty field'} is no number")
        number = int(text)
    if not low <= number <= high:
        raise ValueError(f"{number} is not between {low} and {high}")
    return number


def _month_day(field: str) -> Callable[[date], bool]:
    if field == "L":
        return lambda day: day.day == _length(day)
    if field.endswith("W"):
        wanted = _number(field[:-1], 1, 31, None)
        return lambda day: day.day == _nearest_working_day(day, wanted)
    days = _numbers(field, 1, 31)
    return lambda day: day.day in days


def _week_day(field: str) -> Callable[[date], bool]:
    if "#" in field:
        name, _, count_text = field.partition("#")
        wanted, count = _number(name, 1, 7, _WEEKDAYS), _number(count_text, 1, 5, None)
        return lambda day: _weekday(day) == wanted and (day.day - 1) // 7 + 1 == count
    if field == "L":
        return lambda day: _weekday(day) == 7
    if field.endswith("L"):
        wanted = _number(field[:-1], 1, 7, _WEEKDAYS)
        return lambda day: _weekday(day) == wanted and day.day + 7 > _length(day)
    days = _numbers(field, 1, 7, _WEEKDAYS)
    return lambda day: _weekday(day) in days


def _weekday(day: date) -> int:
    """1 is Sunday."""
    return day.isoweekday() % 7 + 1


def _length(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _nearest_working_day(day: date, wanted: int) -> int:
    """Of the weekdays of `day`'s month, the one nearest to its day `wanted`; 0 where the month is shorter."""
    if wanted > _length(day):
        return 0
    near = (0, -1, 1, -2, 2)
    candidates = (wanted + shift for shift in near if 1 <= wanted + shift <= _length(day))
    return next(n for n in candidates if day.replace(day=n).isoweekday() < 6)
