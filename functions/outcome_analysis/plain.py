"""Text as bare words, for comparing what was written down twice: case, accents and punctuation do not matter."""

from __future__ import annotations

import re

from shared.agents.folding import folded

_NOT_WORD = re.compile(r"[^a-z0-9]+")


def plain(text: str) -> str:
    """Folded words with single blanks between and around them; of text without words a single blank."""
    words = _NOT_WORD.sub(" ", folded(text)).strip()
    return f" {words} " if words else " "
