"""Shapes a synthesised sentence: silence cut off at both ends, long pauses shortened, and where
each word ends."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from local.speech.ports import WordTiming
from shared.domain.pauses import Pause, boundaries

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
_PAUSE_MS_MIN = 50
_MARKS = tuple(",.;:?!…")
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

    An estimate: phrases end at the pauses that stand for their marks, and within a phrase the voiced time is shared
    out by the number of characters.
    """
    loud = _loud_blocks(pcm)
    voiced_ends_ms = (np.flatnonzero(loud) + 1) * BLOCK_MS
    if not words or not voiced_ends_ms.size:
        return ()
    timings: list[WordTiming] = []
    begin = 0
    for phrase, end in _phrases(words, loud, voiced_ends_ms):
        weights = np.cumsum([_weight(word) for word in phrase])
        positions = np.ceil(weights / weights[-1] * (end - begin)).astype(int) - 1 + begin
        timings += [
            WordTiming(word, starts_ms + int(voiced_ends_ms[max(0, position)]))
            for word, position in zip(phrase, positions, strict=True)
        ]
        begin = end
    return tuple(timings)


def _phrases(
    words: Sequence[str], loud: NDArray[np.bool_], voiced_ends_ms: NDArray[np.int64]
) -> list[tuple[Sequence[str], int]]:
    """The words up to each mark, with how many voiced blocks there are up to its pause."""
    ends = [n for n, word in enumerate(words, 1) if word[-1:] in _MARKS and n < len(words)]
    weights = np.cumsum([_weight(word) for word in words])
    total = voiced_ends_ms.size
    expected = [int(weights[end - 1] * total / weights[-1]) - 1 for end in ends]
    estimates_ms = [int(voiced_ends_ms[max(0, position)]) for position in expected]
    placed_ms = boundaries(_quiet_stretches(loud), estimates_ms)
    counts = [int(np.searchsorted(voiced_ends_ms, ms, side="right")) for ms in placed_ms]
    bounds = list(pairwise([0, *ends, len(words)]))
    # Where pauses lie too close for the words between them, the later words keep a block at least.
    counts = [max(1, min(count, total - 1)) for count in counts]
    found = zip(bounds, [*counts, total], strict=True)
    return [(words[first:last], count) for (first, last), count in found]


def _quiet_stretches(loud: NDArray[np.bool_]) -> list[Pause]:
    edges = np.flatnonzero(np.diff(np.concatenate([[True], loud, [True]]).astype(np.int8)))
    return [
        Pause(int(first) * BLOCK_MS, int(last) * BLOCK_MS)
        for first, last in zip(edges[::2], edges[1::2], strict=True)
        if (last - first) * BLOCK_MS >= _PAUSE_MS_MIN
    ]


def _weight(word: str) -> int:
    digits = sum(character.isdigit() for character in word)
    return max(1, sum(character.isalpha() for character in word) + _DIGIT_WEIGHT * digits)
