"""The spoken fixed part of an opening: finished sound, and where in it each legal duty stands."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.agent import Duty

BYTES_PER_MS = 8
FRAME_BYTES = 160


@dataclass(frozen=True, slots=True)
class Clause:
    """A stretch of the clip that can stand by itself: its words and where its sound begins and ends (ms)."""

    text: str
    start_ms: int
    end_ms: int
    duties: tuple[Duty, ...]


@dataclass(frozen=True, slots=True)
class OpeningClip:
    """The spoken fixed part. `clauses` cover the whole sound in order."""

    text: str
    sound: bytes
    clauses: tuple[Clause, ...]

    def from_clause(self, index: int) -> bytes:
        start = self.clauses[index].start_ms * BYTES_PER_MS
        return self.sound[start - start % FRAME_BYTES :]

    def words_until(self, heard_ms: int, first: int = 0) -> str:
        """The words heard after `heard_ms` of the clip's sound from clause `first` on; within a clause by its share
        of the time, cut at a word."""
        origin = self.clauses[first].start_ms if self.clauses else 0
        words: list[str] = []
        for clause in self.clauses[first:]:
            start, end = clause.start_ms - origin, clause.end_ms - origin
            if heard_ms >= end:
                words.append(clause.text)
            elif heard_ms > start:
                parts = clause.text.split()
                count = round(len(parts) * (heard_ms - start) / max(1, end - start))
                words.extend(parts[:count])
        return " ".join(words)
