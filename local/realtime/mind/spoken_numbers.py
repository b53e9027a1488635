"""Numbers in Spanish speech, from zero to fifty-nine. Folded text."""

from __future__ import annotations

_UNITS = {
    "cero": 0, "un": 1, "una": 1, "uno": 1, "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5, "seis": 6, "siete": 7,
    "ocho": 8, "nueve": 9,
}  # fmt: skip
_TENS = {"treinta": 30, "cuarenta": 40, "cincuenta": 50}
_TEENS = {
    "diez": 10, "once": 11, "doce": 12, "trece": 13, "catorce": 14, "quince": 15, "dieciseis": 16, "diecisiete": 17,
    "dieciocho": 18, "diecinueve": 19, "veinte": 20,
}  # fmt: skip
_TWENTIES = {f"veinti{word}": 20 + value for word, value in _UNITS.items() if value}
_JOINED = {
    f"{ten} y {word}": value + unit
    for ten, value in _TENS.items()
    for word, unit in _UNITS.items()
    if unit
}
VALUES = {**_UNITS, **_TEENS, **_TWENTIES, **_TENS, **_JOINED}
# Longer words first, so that none is taken for the one it begins with.
NUMBER = rf"(?:{'|'.join(sorted(VALUES, key=len, reverse=True))}|\d{{1,2}})"


def value(word: str) -> int:
    """What `NUMBER` has found."""
    return VALUES[word] if word in VALUES else int(word)
