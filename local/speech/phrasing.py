"""Shapes a synthesised sentence: silence cut off at both ends, long pauses shortened, and where
each word ends."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from local.speech.ports import WordTiming

RATE_HZ = 16_000
BLOCK_SAMPLES = 160
BLOCK_MS = 10
_QUIET_RMS = 100.0
"""Between the synthesiser's own floor (mostly below 25, clicks up to 60 at volume 0.4; measured)
and its faintest consonants (the s of "sí": 120)."""
LONGEST_PAUSE_MS = 300
"""Pico pauses for up to 1.1 s inside a text, which every turn detector takes for the end of a
turn."""
_MARGIN_BLOCKS = 4
_DIGIT_WEIGHT = 4
"""A digit takes about as long to say as four letters ("cuatro", "siete")."""

Pcm = NDArray[np.int16]


def _loud_blocks(pcm: Pcm) -> NDArray[np.bool_]:
    blocks = pcm[: pcm.size // BLOCK_SAMPLES * BLOCK_SAMPLES].reshape(-1, BLOCK_SAMPLES)
    rms = np.sqrt(np.mean(blocks.astype(np.float64) ** 2, axis=1))
    return np.asarray(rms >= _QUIET_RMS)


def tighten(pcm: Pcm) -> Pcm:
    """The sentence without silence around it and with no pause longer than `LONGEST_PAUSE_MS`."""
    loud = _loud_blocks(pcm)
    if not loud.any():
        return pcm[:0]
    keep = np.zeros(loud.size, dtype=np.bool_)
    first, last = int(np.argmax(loud)), int(loud.size - 1 - np.argmax(loud[::-1]))
    allowed = LONGEST_PAUSE_MS // BLOCK_MS
    quiet_run = 0
    for index in range(max(0, first - _MARGIN_BLOCKS), min(loud.size, last + 1 + _MARGIN_BLOCKS)):
        quiet_run = 0 if loud[index] else quiet_run + 1
        keep[index] = quiet_run <= allowed
    return pcm[: loud.size * BLOCK_SAMPLES].reshape(-1, BLOCK_SAMPLES)[keep].reshape(-1)


def time_words(pcm: Pcm, words: Sequence[str], starts_ms: int) -> tuple[WordTiming, ...]:
    """Where each word ends, if the sentence starts at `starts_ms`.

    An estimate: the voiced time is shared out by the number of characters, pauses are skipped.
    Measured against the pauses between clauses it is right within about 150 ms.
    """
    if not words:
        return ()
    voiced_ends_ms = (np.flatnonzero(_loud_blocks(pcm)) + 1) * BLOCK_MS
    if not voiced_ends_ms.size:
        return ()
    weights = np.cumsum([_weight(word) for word in words])
    positions = np.ceil(weights / weights[-1] * voiced_ends_ms.size).astype(int) - 1
    return tuple(
        WordTiming(word, starts_ms + int(voiced_ends_ms[max(0, position)]))
        for word, position in zip(words, positions, strict=True)
    )


def _weight(word: str) -> int:
    digits = sum(character.isdigit() for character in word)
    return max(1, sum(character.isalpha() for character in word) + _DIGIT_WEIGHT * digits)
