"""Times at which nobody is called: said in one sentence, with a working day offered instead."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from shared.agents import spoken

OPENS, CLOSES = time(9), time(20)
_SATURDAY = 5
# Everywhere in Spain, on fixed dates: month and day.
_HOLIDAYS = {(1, 1), (1, 6), (5, 1), (8, 15), (10, 12), (11, 1), (12, 6), (12, 8), (12, 25)}
_FIRST_SLOT = time(11)


def instead(day: date, at: time | None, now: datetime) -> str | None:
    """Why this is no time for a call, and another one as a question; None where it is one."""
    why = _why_not(day, at, now)
    if why is None:
        return None
    offered = next_working_day(max(day, now.date()))
    hour = at if at is not None and OPENS <= at <= CLOSES else _FIRST_SLOT
    return f"{why} ¿Le viene bien el {spoken.moment(datetime.combine(offered, hour))}?"


def next_working_day(day: date) -> date:
    """The first one after `day`."""
    following = day + timedelta(days=1)
    while _is_free(following):
        following += timedelta(days=1)
    return following


def _why_not(day: date, at: time | None, now: datetime) -> str | None:
    if day < now.date():
        return "Ese día ya ha pasado."
    if day.weekday() >= _SATURDAY:
        return "En fin de semana no llamamos."
    if _is_free(day):
        return f"El {day.day} de {spoken.MONTHS[day.month - 1]} es festivo."
    if at is None:
        return None
    if day == now.date() and at <= now.time():
        return "Esa hora de hoy ya ha pasado."
    if not OPENS <= at <= CLOSES:
        return "Tan tarde no llamamos." if at > CLOSES else "Tan temprano no llamamos."
    return None


def _is_free(day: date) -> bool:
    return day.weekday() >= _SATURDAY or (day.month, day.day) in _HOLIDAYS
