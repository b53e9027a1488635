"""Days and hours in Spanish speech, together, and what leaves them open."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum

from local.realtime.mind.days import day_in
from local.realtime.mind.hours import ahead_in, hour_in


class Vague(StrEnum):
    """A time that must be asked about."""

    NEXT_WEEK = "next_week"
    AFTER_THE_HOLIDAYS = "after_the_holidays"
    NEXT_MONTH = "next_month"
    NOON = "noon"


_VAGUE = {
    Vague.AFTER_THE_HOLIDAYS: r"(despues|pasad[ao]s?|tras) (de )?(las )?(navidad\w*|reyes|fiestas)|el ano que viene",
    Vague.NEXT_WEEK: r"(la )?(semana que viene|proxima semana|otra semana)",
    Vague.NEXT_MONTH: r"(el )?(mes que viene|proximo mes)|a primeros de mes",
    Vague.NOON: r"(a|al|sobre el|hacia el) mediodia",
}

# "diez" over noise: what follows "a las" is no weekday.
_TEN_MISHEARD = re.compile(r"\b(a las) (?:viernes|vies|bies|vier|biez)\b")


@dataclass(frozen=True, slots=True)
class Wish:
    """What was said about a time; each part may be missing."""

    day: date | None = None
    at: time | None = None
    later: bool = False
    vague: Vague | None = None

    @property
    def is_empty(self) -> bool:
        return self.day is None and self.at is None and self.vague is None


def wish(folded: str, now: datetime) -> Wish:
    """Read folded text; `now` is the callee's local time."""
    folded = _TEN_MISHEARD.sub(r"\1 diez", folded)
    ahead = ahead_in(folded, now)
    if ahead is not None:
        return Wish(ahead.date(), ahead.time(), later=True)
    day, at = day_in(folded, now.date()), hour_in(folded)
    later = bool(re.search(r"\bluego|mas tarde|cuando acabe", folded))
    return Wish(day, at, later, _vague(folded, day, at))


def _vague(text: str, day: date | None, at: time | None) -> Vague | None:
    for vague, pattern in _VAGUE.items():
        settled = at is not None if vague is Vague.NOON else day is not None
        if not settled and re.search(pattern, text):
            return vague
    return None
