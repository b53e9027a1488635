"""Phone numbers: E.164 text and the Spanish numbering plan's types.

`phonenumbers` takes +34400... for a fixed line, so the type is decided by the numbering plan's own patterns
(BOE-A-2004-21841, the 400 range by BOE-A-2026-8409). Digits are ASCII: the same number in another script would be
another text, and lists that are looked up by the text would not know it.
"""

from __future__ import annotations

import re
from enum import StrEnum

from shared.domain.errors import InvalidInput

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_SPANISH = re.compile(r"\+34([0-9]{9})")


class NumberType(StrEnum):
    """What kind of line a number stands for."""

    GEOGRAPHIC = "geographic"
    MOBILE = "mobile"
    COMMERCIAL_400 = "commercial_400"
    FREEPHONE = "freephone"
    NOMADIC = "nomadic"
    PERSONAL = "personal"
    PREMIUM = "premium"
    FOREIGN = "foreign"
    UNKNOWN = "unknown"


# By the first digits of the nine.
_SPANISH_TYPES = (
    (re.compile(r"[89][1-8]"), NumberType.GEOGRAPHIC),
    (re.compile(r"(6|7[1-9])"), NumberType.MOBILE),
    (re.compile(r"400"), NumberType.COMMERCIAL_400),
    (re.compile(r"[89]00"), NumberType.FREEPHONE),
    (re.compile(r"51"), NumberType.NOMADIC),
    (re.compile(r"70"), NumberType.PERSONAL),
    (re.compile(r"(80[1-7]|90[1-57])"), NumberType.PREMIUM),
)
CALLABLE_TYPES = frozenset({NumberType.GEOGRAPHIC, NumberType.MOBILE, NumberType.NOMADIC})


def e164(text: str, field: str = "to") -> str:
    """`text` without separators as E.164; raises InvalidInput where it is no such number."""
    compact = re.sub(r"[\s().-]", "", text)
    if compact.startswith("00"):
        compact = "+" + compact[2:]
    if not _E164.fullmatch(compact):
        raise InvalidInput(
            field,
            "write the number in international form: +, country code, subscriber number",
        )
    if compact.startswith("+34") and not _SPANISH.fullmatch(compact):
        raise InvalidInput(field, "a Spanish number has nine digits after +34")
    return compact


def number_type(number: str) -> NumberType:
    """The type of an E.164 number by the Spanish plan; FOREIGN outside +34."""
    match = _SPANISH.fullmatch(number)
    if match is None:
        return NumberType.UNKNOWN if number.startswith("+34") else NumberType.FOREIGN
    for pattern, kind in _SPANISH_TYPES:
        if pattern.match(match.group(1)):
            return kind
    return NumberType.UNKNOWN


def masked(number: str) -> str:
    """A number as it may be shown where it is not needed: `+34*****0001`."""
    return number[:3] + "*" * max(0, len(number) - 7) + number[-4:] if len(number) > 7 else "***"
