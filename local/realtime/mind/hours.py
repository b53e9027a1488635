"""Hours of the day in Spanish speech. Folded text."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta

from local.realtime.mind.spoken_numbers import NUMBER, value

_HOUR = re.compile(
    rf"\b(?:las?|los) ({NUMBER})\b(?:[:.](\d{{2}}))?(?: (y|menos) (media|cuarto|{NUMBER}))?(?: en punto)?"
    r"(?:,? (?:de|por) (?:la|el) (manana|tarde|noche)|,? del (mediodia))?"
    r"(?! (?:personas|empleadas|chicas|semanas?|dias?|veces))"
)
_CLOCK = re.compile(r"\b(\d{1,2})[:.](\d{2})\b")
_AHEAD = re.compile(
    rf"\b(?:dentro de|en|de aqui a) (?:(media)|(un par de)|({NUMBER})) (horas?|minutos?)(?: (y media))?\b"
)
_ROUGHLY = {"primera hora": time(10), "ultima hora": time(18), "despues de comer": time(16)}
_MINUTES = {"media": 30, "cuarto": 15}
# An hour up to eight, without more, is one of the afternoon.
_LAST_AFTERNOON = 8
_NOON = 12
_ROUNDED_TO_MIN = 5


def hour_in(text: str) -> time | None:
    """The hour that is meant, None where none is named."""
    spoken = _HOUR.search(text)
    if spoken:
        word, digits, sign, rest, part, noon = spoken.groups()
        minute = int(digits or 0) or (_MINUTES.get(rest) or value(rest) if rest else 0)
        minutes = value(word) * 60 + (-minute if sign == "menos" else minute)
        morning = part == "manana" or "por la manana" in text
        return _time(minutes, morning=morning, evening=part in ("tarde", "noche") or bool(noon))
    clock = _CLOCK.search(text)
    if clock:
        return _time(int(clock.group(1)) * 60 + int(clock.group(2)), morning=False, evening=False)
    return next((at for words, at in _ROUGHLY.items() if words in text), None)


def ahead_in(text: str, now: datetime) -> datetime | None:
    """The moment of "in two hours", rounded up to five minutes."""
    found = _AHEAD.search(text)
    if not found:
        return None
    half, couple, number, unit, and_half = found.groups()
    count = 0.5 if half else 2 if couple else value(number)
    minutes = count * 60 if unit.startswith("hora") else count
    moment = now + timedelta(minutes=minutes + (30 if and_half else 0))
    return moment + timedelta(minutes=-moment.minute % _ROUNDED_TO_MIN)


def _time(minutes: int, *, morning: bool, evening: bool) -> time | None:
    hour, minute = divmod(minutes, 60)
    # "menos cuarto" counts from the hour that was named: a quarter to nine is of the morning still.
    named = -(-minutes // 60) if minute > 30 else hour
    if not morning and (named <= _LAST_AFTERNOON or (evening and hour < _NOON)):
        hour += _NOON
    return time(hour, minute) if 0 <= hour < 24 else None
