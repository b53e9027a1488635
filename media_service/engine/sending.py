"""Sofia's sound on its way out, and the book-keeping that goes with it."""

from __future__ import annotations

from media_service.engine.actions import Action, Record, SendSound, SetTimer
from media_service.engine.talk import Phase, Talk
from shared.domain.journal import Moments

MARKS = "playout.marks"
# A mark that is this late behind the sound before it will not come.
MARK_LATE_MS = 3_000


def pump(talk: Talk, now_ms: float) -> list[Action]:
    """Send what may be sent now."""
    return _noted(talk, talk.playout.pump(now_ms), now_ms)


def resume(talk: Talk, now_ms: float) -> list[Action]:
    """Go on from the first unheard byte."""
    return _noted(talk, talk.playout.resume(now_ms), now_ms)


def _noted(talk: Talk, sent: list[Action], now_ms: float) -> list[Action]:
    if not any(isinstance(action, SendSound) for action in sent):
        return sent
    talk.book.sound_sent(now_ms)
    if talk.phase in (Phase.THINKING, Phase.LISTENING):
        talk.enter(Phase.SPEAKING)
    due_ms = now_ms + talk.playout.in_flight_ms(now_ms) + MARK_LATE_MS
    actions = [*sent, SetTimer(MARKS, due_ms)]
    if talk.first_sound_ms is None:
        talk.first_sound_ms = int(now_ms)
        actions.append(Record(Moments(talk.first_sound_ms, talk.first_callee_end_ms)))
    return actions
