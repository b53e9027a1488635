"""Days and hours in Spanish speech."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

_WEEKDAYS = ("lunes", "martes", "miercoles", "jueves", "viernes", "sabado", "domingo")
_NUMBERS = {
    "una": 1, "uno": 1, "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5, "seis": 6, "siete": 7,
    "ocho": 8, "nueve": 9, "diez": 10, "once": 11, "doce": 12, "trece": 13, "quince": 15, "veinte": 20,
}  # fmt: skip
_HOUR = re.compile(
    r"\b(?:a|sobre|hacia|de|desde)? ?(?:partir de )?(?:las?|los) "
    r"(una|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|once|doce|\d{1,2})(?:[:.](\d{2}))?"
    r"( y media| y cuarto| menos cuarto)?(?: de la (manana|tarde|noche))?"
)
# "diez" over noise: what follows "a las" is no weekday.
_TEN_MISHEARD = re.compile(r"\b(a las) (?:viernes|vies|bies|vier|biez)\b")
_CLOCK = re.compile(r"\b(\d{1,2})[:.](\d{2})\b")
LAST_MORNING_LESS = 8
NOON = 12


@dataclass(frozen=True, slots=True)
class Wish:
    """What was said about a time; each part may be missing."""

    day: date | None = None
    at: time | None = None
    later: bool = False


def wish(folded: str, now: datetime) -> Wish:
    """Read folded text; `now` is the callee's local time."""
    folded = _TEN_MISHEARD.sub(r"\1 diez", folded)
    return Wish(
        _day(folded, now.date()),
        _hour(folded),
        bool(re.search(r"\bluego|mas tarde|cuando acabe", folded)),
    )


def _day(text: str, today: date) -> date | None:
    if re.search(r"\bhoy\b", text):
        return today
    if re.search(r"\bpasado manana\b", text):
        return today + timedelta(days=2)
    if re.search(r"(?<!la )(?<!pasado )\bmanana\b(?! no)", text) and not re.search(
        r"(por|de|esta) la manana(?! por)", re.sub(r"^.*?\bmanana por", "", text)
    ):
        return today + timedelta(days=1)
    for number, name in enumerate(_WEEKDAYS):
        said = re.search(rf"\b{name}\b", text)
        refused = re.search(
            rf"(menos|no|ni|excepto) (los |el )?{name}|{name} no\b|{name} cierr", text
        )
        if said and not refused:
            ahead = (number - today.weekday()) % 7 or 7
            return today + timedelta(days=ahead)
    return None


def _hour(text: str) -> time | None:
    clock = _CLOCK.search(text)
    match = _HOUR.search(text)
    if match is None and clock is None:
        if "primera hora" in text:
            return time(10)
        if "ultima hora" in text:
            return time(19)
        return time(16) if "despues de comer" in text else None
    if match is not None:
        word, minutes, rest, part = match.groups()
        hour = _NUMBERS.get(word) or int(word)
        minute = int(minutes) if minutes else {" y media": 30, " y cuarto": 15}.get(rest or "", 0)
        if rest == " menos cuarto":
            hour, minute = hour - 1, 45
    else:
        hour, minute, part = int(clock.group(1)), int(clock.group(2)), None  # type: ignore[union-attr]
    morning = part == "manana" or "por la manana" in text
    if not morning and hour <= LAST_MORNING_LESS:
        hour += NOON
    return time(hour % 24, minute)
