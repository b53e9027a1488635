"""Which words of a text were heard when its sound was stopped."""

from __future__ import annotations


def words_until(text: str, share: float) -> str:
    """The words of `text` that were heard once `share` of its sound was. Words take as long as they have letters; one
    of which more than half was heard counts."""
    words = text.split()
    letters = share * sum(len(word) + 1 for word in words)
    heard: list[str] = []
    for word in words:
        if len(word) / 2 > letters:
            break
        letters -= len(word) + 1
        heard.append(word)
    return " ".join(heard)
