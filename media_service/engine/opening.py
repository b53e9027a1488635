"""Who starts, and that each legal duty is heard.

The fixed part is a finished clip, so that the law does not depend on sampling. Where it is cut, Sofia answers first
and then goes on with the clip from the clause in which the first unheard duty stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from shared.domain.agent import Duty
from shared.domain.opening_clip import OpeningClip

WAIT = "opening.wait"
LONG = "opening.long"
HOLD = "opening.hold"
# A held opening goes on by itself if neither words nor verdict come: better a machine greeted than a person kept
# waiting in silence.
HOLD_MS = 3_000
# Sound that never ends (a hair dryer that the detector takes for speech) must not keep Sofia silent for ever; the
# longest announcements that ask for a message are over by then.
HOLD_LONGEST_MS = 12_000
# A cut this early is the callee's own greeting going on; the opening starts anew.
RESTART_MS = 900
CLIP_ITEM = "opening"
SCREEN = "opening.screen"
# A person decides within half a minute whether to take a call that a screener announces.
SCREEN_MS = 30_000
# Two machines that talk politely to each other are a known way to burn money.
MAX_SCREENINGS = 2


class Stage(StrEnum):
    """Where the opening stands. SCREENED: a call screener was answered, its owner may come to the phone."""

    WAITING = "waiting"
    HELD = "held"
    SCREENED = "screened"
    SPEAKING = "speaking"
    CUT = "cut"
    DONE = "done"


@dataclass(slots=True)
class Opening:
    """The opening of one call. `name_asked`: the question behind the fixed part was made."""

    clip: OpeningClip
    stage: Stage = Stage.WAITING
    heard: dict[Duty, int] = field(default_factory=dict)
    first_clause: int = 0
    name_asked: bool = False
    screenings: int = 0

    @property
    def has_begun(self) -> bool:
        return self.stage not in (Stage.WAITING, Stage.HELD, Stage.SCREENED)

    @property
    def missing(self) -> Sequence[Duty]:
        return [duty for duty in Duty if duty not in self.heard]

    def sound(self) -> bytes:
        """The clip from the clause where it (re)starts."""
        return self.clip.from_clause(self.first_clause) if self.clip.clauses else b""

    @property
    def text(self) -> str:
        """The words of the present stretch of the clip."""
        return " ".join(clause.text for clause in self.clip.clauses[self.first_clause :])

    def progressed(self, heard_ms: int, now_ms: float) -> list[Duty]:
        """`heard_ms` of the present stretch were heard; gives the duties that are thereby fulfilled."""
        if not self.clip.clauses:
            return []
        at_ms = self.clip.start_ms(self.first_clause) + heard_ms
        new: list[Duty] = []
        for clause in self.clip.clauses[self.first_clause :]:
            if at_ms >= clause.voice_to_ms:
                new += [duty for duty in clause.duties if duty not in self.heard]
        for duty in new:
            self.heard[duty] = int(now_ms)
        return new

    def words_heard(self, heard_ms: int) -> str:
        return self.clip.words_until(heard_ms, self.first_clause)

    def rest_from(self) -> int | None:
        """The clause from which the clip must be heard once more, None if every duty was."""
        for index, clause in enumerate(self.clip.clauses):
            if any(duty not in self.heard for duty in clause.duties):
                return index
        return None
