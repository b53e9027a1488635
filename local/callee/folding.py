"""Text as the checks see it: without capitals and accents, counted in sentences, words,
questions."""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"\w+(?:[.,:]\d+)*")
_SENTENCE_END = re.compile(r"[.!?…]+(?=\s|$)")


def fold(text: str) -> str:
    """Lower case, accents dropped (NFD without combining marks, so that ñ is n)."""
    decomposed = unicodedata.normalize("NFD", text.lower())
    return "".join(each for each in decomposed if not unicodedata.combining(each))


def word_count(text: str) -> int:
    """Numbers such as 16:30 or 3,5 are one word."""
    return len(_WORD.findall(text))


def sentence_count(text: str) -> int:
    """Parts between full stops, question and exclamation marks that hold a word."""
    return sum(bool(_WORD.search(part)) for part in _SENTENCE_END.split(text))


def question_count(text: str) -> int:
    """Questions asked to the end, or begun and cut off."""
    return max(text.count("?"), text.count("¿"))
