"""Days in Spanish speech: of the week, of the month, counted from today. Folded text."""

from __future__ import annotations

import re
from datetime import date, timedelta

from local.realtime.mind.spoken_numbers import NUMBER, value
from shared.agents.folding import folded
from shared.agents.spoken import MONTHS, WEEKDAYS

_WEEKDAYS = tuple(folded(name) for name in WEEKDAYS)
_MONTH = rf"(?:{'|'.join(MONTHS)})"
_AHEAD = re.compile(rf"\b(?:dentro de|en|de aqui a) ({NUMBER}) (dias?|semanas?)\b")
_OF_MONTH = re.compile(
    rf"\b(?:el dia|el|dia) (primero|{NUMBER})\b(?: de ({_MONTH}))?(?!,? (?:por ciento|{NUMBER}\b))"
)
_NAMED_MONTH = re.compile(rf"\b({NUMBER}) de ({_MONTH})\b")
_TOMORROW = re.compile(r"(?<!la )(?<!pasado )(?<!esta )\bmanana\b(?! no)")
_MORNING = re.compile(r"(?:por|de|esta) la manana(?! por)")
_NEXT_WEEK = re.compile(r"semana que viene|(?:proxima|otra) semana|semana proxima")


def day_in(text: str, today: date) -> date | None:
    """The day that is meant, None where none is named."""
    return _counted(text, today) or _of_the_month(text, today) or _of_the_week(text, today)


def _counted(text: str, today: date) -> date | None:
    if re.search(r"\bhoy\b", text):
        return today
    if re.search(r"\bayer\b", text):
        return today - timedelta(days=1)
    if re.search(r"\bpasado manana\b", text):
        return today + timedelta(days=2)
    ahead = _AHEAD.search(text)
    if ahead:
        days = value(ahead.group(1)) * (7 if ahead.group(2).startswith("semana") else 1)
        return today + timedelta(days=days)
    if _TOMORROW.search(text) and not _MORNING.search(re.sub(r"^.*?\bmanana por", "", text)):
        return today + timedelta(days=1)
    return None


def _of_the_month(text: str, today: date) -> date | None:
    found = _OF_MONTH.search(text) or _NAMED_MONTH.search(text)
    if not found:
        return None
    number = 1 if found.group(1) == "primero" else value(found.group(1))
    month = MONTHS.index(found.group(2)) + 1 if found.group(2) else None
    return _next_date(number, month, today)


def _next_date(number: int, month: int | None, today: date) -> date | None:
    """The next day with this number, today included; within a year where no month is named."""
    for ahead in range(366):
        day = today + timedelta(days=ahead)
        if day.day == number and month in (None, day.month):
            return day
    return None


def _of_the_week(text: str, today: date) -> date | None:
    for number, name in enumerate(_WEEKDAYS):
        said = re.search(rf"\b{name}s?\b", text)
        refused = re.search(
            rf"(menos|no|ni|excepto) (los |el )?{name}|{name} no\b|{name} cierr", text
        )
        if said and not refused:
            if _NEXT_WEEK.search(text):
                return today + timedelta(days=7 - today.weekday() + number)
            return today + timedelta(days=(number - today.weekday()) % 7 or 7)
    return None
