"""Which words of a text were heard."""

from __future__ import annotations

import pytest

from shared.domain.words_heard import words_until

TEXT = "una asistente con inteligencia artificial"


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (-0.5, ""),
        (0.0, ""),
        (0.03, ""),
        (0.05, "una"),
        (0.5, "una asistente con"),
        (1.0, TEXT),
        (1.7, TEXT),
    ],
)
def test_a_word_counts_once_half_of_it_was_heard(share, words) -> None:
    assert words_until(TEXT, share) == words


def test_long_words_take_longer() -> None:
    assert words_until("a extraordinariamente", 0.3) == "a"
    assert words_until("extraordinariamente a", 0.3) == ""


def test_of_no_words_none_are_heard() -> None:
    assert words_until("", 0.5) == ""
