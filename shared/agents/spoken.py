"""Dates, hours and references as they are said aloud in Spanish."""

from __future__ import annotations

from datetime import datetime

WEEKDAYS = ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo")
MONTHS = (
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
)
_HOURS = (
    "doce",
    "una",
    "dos",
    "tres",
    "cuatro",
    "cinco",
    "seis",
    "siete",
    "ocho",
    "nueve",
    "diez",
    "once",
)
DIGITS = (
    "cero",
    "uno",
    "dos",
    "tres",
    "cuatro",
    "cinco",
    "seis",
    "siete",
    "ocho",
    "nueve",
)
_MINUTES = {0: "", 15: " y cuarto", 30: " y media", 45: " y cuarenta y cinco"}
NOON, AFTERNOON = 12, 14


def day(at: datetime) -> str:
    """`jueves 26 de noviembre`."""
    return f"{WEEKDAYS[at.weekday()]} {at.day} de {MONTHS[at.month - 1]}"


def hour(at: datetime) -> str:
    """`las once de la mañana`, `la una y media`, `las cuatro y media de la tarde`."""
    name = _HOURS[at.hour % 12]
    article = "la" if name == "una" else "las"
    minutes = _MINUTES.get(at.minute, f" y {at.minute}")
    part = " de la mañana" if at.hour < NOON else (" de la tarde" if at.hour >= AFTERNOON else "")
    return f"{article} {name}{minutes}{part}"


def moment(at: datetime) -> str:
    """`jueves 26 de noviembre a las once de la mañana`."""
    return f"{day(at)} a {hour(at)}"


def reference(code: str) -> str:
    """`OP-4F7K` as `O P, cuatro, F, siete, K`."""
    prefix, _, rest = code.partition("-")
    spelled = ", ".join(DIGITS[int(c)] if c.isdigit() else c for c in rest)
    return f"{' '.join(prefix)}, {spelled}"
