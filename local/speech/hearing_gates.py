"""What a recogniser says about silence and noise is invented; these gates keep it out."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

SPEECH_MS_MIN = 160
"""Less speech than this is a cough or a click; "¿Sí?" has 200 ms by the detector's count
(measured)."""
NO_SPEECH_MAX = 0.6
LOG_PROBABILITY_MIN = -1.0
"""Both are Whisper's own defaults."""
SHORT_WORDS_MAX = 3
LOG_PROBABILITY_MIN_SHORT = -1.3
"""A word or two without context scores low even when it is right ("Gracias.": -1.1; measured)."""

_JUNK = re.compile(
    r"suscrib|subtitul|amara\.org|gracias por ver|dale (a )?like|no olvides|"
    r"^(musica|aplausos|risas)$|nos vemos en el proximo|proximo video|^\W*$"
)
"""What Whisper makes of noise: its training data were films and videos with subtitles."""
_REPEATED = re.compile(r"\b(\w+(?:\W+\w+){0,3})(?:\W+\1\b){4,}")


@dataclass(frozen=True, slots=True)
class Recognition:
    """What the recogniser believes it heard, and how sure it is (mean log probability per
    token)."""

    text: str
    no_speech_probability: float
    log_probability: float


def believable(recognition: Recognition) -> str:
    """The text, or nothing when the recogniser is unsure, or says what it says about noise."""
    text = recognition.text.strip()
    short = len(text.split()) <= SHORT_WORDS_MAX
    unsure = recognition.no_speech_probability > NO_SPEECH_MAX or recognition.log_probability < (
        LOG_PROBABILITY_MIN_SHORT if short else LOG_PROBABILITY_MIN
    )
    folded = _fold(text)
    if unsure or _JUNK.search(folded) or _REPEATED.search(folded):
        return ""
    return text


def _fold(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text.lower())
    bare = "".join(each for each in decomposed if not unicodedata.combining(each))
    return bare.strip(" .!¡?¿[]()")
