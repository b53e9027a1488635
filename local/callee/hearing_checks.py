"""Holds what the product believes was heard against the callee's ear: words, cuts, and whether somebody else spoke."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import accumulate

from local.callee.checks import Check, CheckLevel
from local.callee.ear import HeardTurn
from local.callee.folding import fold

CUT_WORDS_MAX = 2
"""Where a turn was cut, the product knows the words by their share of the sound only: 95 of 100 cuts are told to two
words (reckoned for a cut in every frame of 50 spoken turns)."""
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class ToldTurn:
    """One of the agent's turns as the product reports it."""

    number: int
    heard: str
    interrupted: bool


def hearing_checks(
    told: Sequence[ToldTurn], heard: Sequence[HeardTurn], cut_in_ms: Sequence[int]
) -> Iterator[Check]:
    """`cut_in_ms` are the moments at which the callee began to speak over the agent."""
    yield _known(heard)
    told = [turn for turn in told if _words(turn.heard)]
    pairs = _Pairs(told, heard)
    yield _all_hold("ear.heard", _differing_words(pairs))
    yield _all_hold("ear.interrupted", _differing_cuts(pairs, cut_in_ms))


def _known(heard: Sequence[HeardTurn]) -> Check:
    strange = [turn for turn in heard if turn.unknown_ms or not turn.pieces]
    return _all_hold(
        "ear.known",
        [
            f"at {turn.started_ms / 1_000:.1f} s {turn.unknown_ms} ms of sound that were not made for this call"
            for turn in strange
        ],
    )


def _all_hold(name: str, troubles: Sequence[str]) -> Check:
    moment, _, detail = troubles[0].partition(": ") if troubles else (None, "", "")
    more = f" (and {len(troubles) - 1} more)" if len(troubles) > 1 else ""
    return Check(name, CheckLevel.HARD, not troubles, moment, detail + more)


class _Pairs:
    """The words of both sides, aligned."""

    def __init__(self, told: Sequence[ToldTurn], heard: Sequence[HeardTurn]) -> None:
        self.told, self.heard = told, heard
        told_words = [_words(turn.heard) for turn in told]
        heard_words = [_words(turn.text) for turn in heard]
        self.told_words = [word for words in told_words for word in words]
        self.heard_words = [word for words in heard_words for word in words]
        self._told_ends = list(accumulate(map(len, told_words)))
        self._heard_ends = list(accumulate(map(len, heard_words)))
        self.matcher = SequenceMatcher(None, self.told_words, self.heard_words, autojunk=False)

    def told_at(self, word: int) -> int:
        """The index of the told turn that holds a word."""
        return sum(end <= word for end in self._told_ends)

    def heard_at(self, word: int) -> int:
        return sum(end <= word for end in self._heard_ends)

    def differ_at_cut(self, i1: int, i2: int, j1: int, j2: int) -> bool:
        """Whether words `i1` to `i2` of the report and `j1` to `j2` at the ear are all that differs at the end of one
        and the same cut turn: one side has a word or two more than the other.

        Where a turn was cut in its first words, the report may have words of it and the ear none: a word counts there
        when half of it was heard, at the ear with its end. Never the other way round: what was heard of a turn is in
        the report.
        """
        if max(i2 - i1, j2 - j1) > CUT_WORDS_MAX:
            return False
        return (
            self._more_told(i1, i2, j1) if j1 == j2 else i1 == i2 and self._more_heard(i1, j1, j2)
        )

    def _more_told(self, i1: int, i2: int, at: int) -> bool:
        """They are the very words that were cut off at the ear."""
        told, words = self.told_at(i1), self.told_words[i1:i2]
        if not (self.told[told].interrupted and self._told_ends[told] == i2):
            return False
        is_whole = i1 == 0 or self.told_at(i1 - 1) != told
        return any(
            _words(" ".join(turn.cut_words))[: len(words)] == words
            for turn, end in zip(self.heard, self._heard_ends, strict=True)
            if end == at and not (is_whole and _words(turn.text))
        )

    def _more_heard(self, at: int, j1: int, j2: int) -> bool:
        """They end the turn at the ear whose beginning the report has."""
        if at == 0 or j1 == 0:
            return False
        told, heard = self.told_at(at - 1), self.heard_at(j1)
        return (
            self.told[told].interrupted
            and self._told_ends[told] == at
            and self._heard_ends[heard] == j2
            and self.heard_at(j1 - 1) == heard
        )


def _differing_words(pairs: _Pairs) -> list[str]:
    troubles = []
    for kind, i1, i2, j1, j2 in pairs.matcher.get_opcodes():
        if kind == "equal":
            continue
        if pairs.differ_at_cut(i1, i2, j1, j2):
            continue
        if pairs.told:
            number = pairs.told[min(pairs.told_at(i1), len(pairs.told) - 1)].number
            place = f"turn {number}"
        else:
            place = "the call"
        told, heard = " ".join(pairs.told_words[i1:i2]), " ".join(pairs.heard_words[j1:j2])
        troubles.append(f"{place}: reported as heard {told!r}, at the ear {heard!r}")
    return troubles


def _differing_cuts(pairs: _Pairs, cut_in_ms: Sequence[int]) -> list[str]:
    partners: dict[int, set[int]] = {}
    for match in pairs.matcher.get_matching_blocks():
        for offset in range(match.size):
            index = pairs.told_at(match.a + offset)
            partners.setdefault(index, set()).add(pairs.heard_at(match.b + offset))
    troubles = []
    for index, found in partners.items():
        told, heard = pairs.told[index], [pairs.heard[each] for each in sorted(found)]
        last = heard[-1]
        if last.cut_words and not told.interrupted:
            cut = " ".join(last.cut_words)
            troubles.append(f"turn {told.number}: {cut!r} was cut off and no interruption reported")
        begun_ms, ended_ms = heard[0].started_ms, last.ended_ms
        someone_cut_in = any(begun_ms <= at_ms <= ended_ms for at_ms in cut_in_ms)
        if told.interrupted and not last.cut_words and not someone_cut_in:
            troubles.append(f"turn {told.number}: reported as interrupted, and was not")
    return troubles


def _words(text: str) -> list[str]:
    return _WORD.findall(fold(text))
