"""Yes and no, as they are said in a few words. Folded text."""

from __future__ import annotations

import re

# With more words than these it is no mere yes or no: other rules read what it says.
_WORDS_MAX = 6
_YES = re.compile(
    r"^\W*(si|vale|venga|bueno|ok|okey|claro|perfecto|genial|estupendo|de acuerdo|me parece bien|por mi bien|correcto"
    r"|eso es|exacto|muy bien|me viene bien|adelante|por supuesto|hecho)\b"
)
_NO = re.compile(
    r"^\W*(no|que va|imposible|ese dia no|a esa hora no|me viene mal|mal)\b|\bno puedo\b"
)


def is_yes(heard: str) -> bool:
    return _is_short(heard) and bool(_YES.search(heard)) and not _NO.search(heard)


def is_no(heard: str) -> bool:
    return _is_short(heard) and bool(_NO.search(heard))


def _is_short(heard: str) -> bool:
    return "?" not in heard and len(heard.split()) <= _WORDS_MAX
