"""Spanish text made comparable: lower case, no accents, no punctuation."""

from __future__ import annotations

import re
import unicodedata

_NOT_WORD = re.compile(r"[^a-z0-9+@.]+")
_STOP = re.compile(r"[.:;?!¿¡…]+")
_NOT_WORD_OR_PAUSE = re.compile(r"[^a-z0-9,.]+")


def folded(text: str) -> str:
    """Lower case without accents (NFD, combining marks dropped, so `ñ` becomes `n`)."""
    plain = unicodedata.normalize("NFD", text.lower())
    return "".join(char for char in plain if not unicodedata.combining(char))


def words(text: str) -> str:
    """Folded words with single blanks between and around them, for matching whole words."""
    return f" {_NOT_WORD.sub(' ', folded(text)).strip()} "


def words_and_pauses(text: str) -> str:
    """Like `words`, with `,` and `.` (for every mark that ends a sentence) as words of their own."""
    marked = _STOP.sub(" . ", folded(text)).replace(",", " , ")
    return f" {_NOT_WORD_OR_PAUSE.sub(' ', marked).strip()} "
