"""Text as it is handed to the synthesiser, so that numbers and addresses are said as people say
them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from shared.agents.spoken import DIGITS

_GROUP = 3

_PHONE = re.compile(r"(?<![\w.,])\+?\d(?:[ .\-]?\d){6,14}(?![\w]|[.,]\d)")
"""Seven digits or more: the synthesiser would read them as one number in the hundreds of
thousands."""
_DATE_OR_TIME = re.compile(r"\d{4}-\d{2}-\d{2}")
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|\b(?:[a-z0-9-]+\.)+[a-z]{2,}\b", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"»)]*\s+(?=\S)")
_SPEAKABLE = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence as written, and as the synthesiser is to read it."""

    written: str
    spoken: str


def sentences_to_speak(text: str) -> tuple[Sentence, ...]:
    """The sentences of `text` that hold something to say; empty for no text, dots or an emoji."""
    written = (part.strip() for part in _SENTENCE_END.split(text))
    return tuple(Sentence(part, _spoken(part)) for part in written if _SPEAKABLE.search(part))


def _spoken(sentence: str) -> str:
    spelled = _ADDRESS.sub(_spell_address, _PHONE.sub(_spell_phone, sentence))
    spelled = spelled.replace("…", "...").replace("...", ", ").replace("€", " euros")
    return re.sub(r"\s+", " ", spelled).strip(" ,;")


def _spell_phone(match: re.Match[str]) -> str:
    found = match.group()
    if _DATE_OR_TIME.match(found):
        return found
    digits = [character for character in found if character.isdigit()]
    country: list[str] = []
    if found.startswith("+34"):
        country, digits = digits[:2], digits[2:]
    groups = [country] if country else []
    groups += [digits[start : start + _GROUP] for start in range(0, len(digits), _GROUP)]
    spoken = ", ".join(" ".join(DIGITS[int(digit)] for digit in group) for group in groups)
    return f"más {spoken}" if found.startswith("+") else spoken


def _spell_address(match: re.Match[str]) -> str:
    spoken = match.group().replace("@", " arroba ").replace(".", " punto ")
    return spoken.replace("_", " guion bajo ").replace("-", " guion ")
