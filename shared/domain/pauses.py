"""Where a spoken text pauses, and which of its pauses stand between given parts of it. Mu-law, 8 kHz."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

_BYTES_PER_MS = 8
_STEP_MS = 10
# Shorter ones are the stops within words (a /t/ is silent for some 40 ms).
_SHORTEST_MS = 50
# Mu-law steps are logarithmic: this share of speech's own level is far below its faintest vowel.
_QUIET_SHARE = 0.45
# How far a part's end may lie from its share of the letters.
_REACH_MS = 900
# A pause that is 100 ms longer is worth looking this much further for it: between clauses people pause longer than
# between words.
_WORTH = 4.0
# What a choice costs, and where it puts the boundaries so far.
_Placed = tuple[float, list[int]]


@dataclass(frozen=True, slots=True)
class Pause:
    start_ms: int
    end_ms: int

    @property
    def middle_ms(self) -> int:
        return (self.start_ms + self.end_ms) // 2

    @property
    def length_ms(self) -> int:
        return self.end_ms - self.start_ms


def pauses(sound: bytes) -> list[Pause]:
    """The quiet stretches within `sound`, in order."""
    levels = [_level(sound, ms) for ms in range(0, len(sound) // _BYTES_PER_MS, _STEP_MS)]
    quiet_below = median(levels) * _QUIET_SHARE if levels else 0.0
    found: list[Pause] = []
    began: int | None = None
    for index, level in enumerate([*levels, quiet_below + 1]):
        if level <= quiet_below:
            began = index if began is None else began
        elif began is not None:
            if (index - began) * _STEP_MS >= _SHORTEST_MS:
                found.append(Pause(began * _STEP_MS, index * _STEP_MS))
            began = None
    return found


def boundaries(found: Sequence[Pause], estimates_ms: Sequence[int]) -> list[int]:
    """For each estimated boundary the middle of the pause that stands there: of all choices in order the one whose
    pauses are longest and nearest. An estimate without a pause in reach stays as it is."""
    # best[k]: the cheapest way to place the boundaries so far with the last one in pause k - 1 (0: none used yet).
    best: list[_Placed] = [(0.0, []), *((float("inf"), list[int]()) for _ in found)]
    for estimate_ms in estimates_ms:
        following: list[_Placed] = []
        for k in range(len(found) + 1):
            cost, placed = best[k]
            choice: _Placed = (cost + _REACH_MS, [*placed, estimate_ms])
            if k:
                cost, placed = min(best[:k], key=lambda entry: entry[0])
                pause = found[k - 1]
                away_ms = abs(pause.middle_ms - estimate_ms)
                if away_ms <= _REACH_MS:
                    price = cost + away_ms - _WORTH * pause.length_ms
                    choice = min(choice, (price, [*placed, pause.middle_ms]))
            following.append(choice)
        best = following
    return min(best, key=lambda entry: entry[0])[1]


def voiced_ms(found: Sequence[Pause], start_ms: int, end_ms: int) -> tuple[int, int]:
    """From where to where somebody speaks between two moments, the pauses in which these lie left out."""
    begins = next((p.end_ms for p in found if p.start_ms <= start_ms < p.end_ms), start_ms)
    ends = next((p.start_ms for p in found if p.start_ms < end_ms <= p.end_ms), end_ms)
    return (begins, ends) if begins < ends else (start_ms, end_ms)


def _level(sound: bytes, ms: int) -> float:
    """Mean level of 10 ms; the more of a sample's low seven bits are set, the quieter it is."""
    window = sound[ms * _BYTES_PER_MS : (ms + _STEP_MS) * _BYTES_PER_MS]
    return sum(0x7F - (byte & 0x7F) for byte in window) / max(1, len(window))
