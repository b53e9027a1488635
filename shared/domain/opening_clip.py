"""The spoken fixed part of an opening: finished sound, and where in it each legal duty stands."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.agent import Duty
from shared.domain.words_heard import words_until

BYTES_PER_MS = 8
FRAME_BYTES = 160
FRAME_MS = FRAME_BYTES // BYTES_PER_MS


@dataclass(frozen=True, slots=True)
class Clause:
    """A stretch of the clip that can stand by itself: its words and where its sound begins and ends (ms). Between
    `voice_from_ms` and `voice_to_ms` somebody speaks; what is left at both sides are the pauses around it."""

    text: str
    start_ms: int
    end_ms: int
    voice_from_ms: int
    voice_to_ms: int
    duties: tuple[Duty, ...]


@dataclass(frozen=True, slots=True)
class OpeningClip:
    """The spoken fixed part. `clauses` cover the whole sound in order."""

    text: str
    sound: bytes
    clauses: tuple[Clause, ...]

    def start_ms(self, index: int) -> int:
        """Where the sound of clause `index` begins, on a frame; 0 for a clip without clauses."""
        return self.clauses[index].start_ms // FRAME_MS * FRAME_MS if self.clauses else 0

    def from_clause(self, index: int) -> bytes:
        return self.sound[self.start_ms(index) * BYTES_PER_MS :]

    def words_until(self, heard_ms: int, first: int = 0) -> str:
        """The words heard after `heard_ms` of the clip's sound from clause `first` on; within a clause by their share
        of the time in which somebody speaks."""
        at_ms = self.start_ms(first) + heard_ms
        heard = (
            words_until(
                clause.text,
                (at_ms - clause.voice_from_ms) / max(1, clause.voice_to_ms - clause.voice_from_ms),
            )
            for clause in self.clauses[first:]
        )
        return " ".join(words for words in heard if words)
