"""The callee speaks while Sofia does: stop at once, then find out whether it was meant for her.

A cut cannot be undone in the model's memory, so nothing is told to the model before the verdict. The verdict comes by
the words, or at the latest `false_interruption_ms` after the speech stopped, by its length.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum

VERDICT = "interruption.verdict"
# With less than this left unheard, a short word answers the question rather than accompanies it.
NEARLY_DONE_MS = 700
# Hanging up on a question, or greeting an announcement, is worse than a pause: this long the words are waited for.
WORDS_BEFORE_ACTING_MS = 2_000
# Without a transcript, a sound this long was speech; a cough or a chair is shorter.
SPEECH_MS = 450

_BACKCHANNEL = frozenset(
    [
        "aja",
        "aha",
        "ah",
        "mm",
        "mmm",
        "mhm",
        "hm",
        "hmm",
        "si",
        "ya",
        "claro",
        "vale",
        "ok",
        "okey",
        "bueno",
        "bien",
        "eh",
        "uh",
        "ay",
        "oh",
        "entiendo",
        "de",
        "acuerdo",
        "pues",
        "hola",
    ]
)


class Verdict(StrEnum):
    REAL = "real"
    FALSE = "false"


@dataclass(slots=True)
class Interruption:
    """One stretch of speech over Sofia's turn, from its start to the verdict. `is_over_nothing`: her turn was decided
    but not yet heard. `waited_for_words`: words were waited for a little longer, because much hangs on them."""

    remaining_ms: int
    is_over_nothing: bool = False
    items: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    stopped_ms: float | None = None
    waited_for_words: bool = False

    def verdict_by_words(self, text: str) -> Verdict:
        """What the words of the last utterance say."""
        self.words.append(text)
        folded = folded_words(" ".join(self.words))
        if not folded:
            return Verdict.FALSE
        if all(word in _BACKCHANNEL for word in folded) and self.remaining_ms > NEARLY_DONE_MS:
            return Verdict.FALSE
        return Verdict.REAL

    def verdict_by_length(self, speech_ms: float) -> Verdict:
        return Verdict.REAL if speech_ms >= SPEECH_MS else Verdict.FALSE


def folded_words(text: str) -> list[str]:
    """Lower-case words without accents."""
    plain = unicodedata.normalize("NFD", text.lower())
    return re.findall(r"[a-z0-9]+", "".join(c for c in plain if not unicodedata.combining(c)))
