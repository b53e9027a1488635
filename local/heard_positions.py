"""How far the product was off in what the callee had heard when it was interrupted.

Each truncation names the millisecond up to which Sofia's words were heard. Here it is held against the callee's own
ear: the produced sound of the item is found again, byte for byte, in all the sound that reached the callee.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from local.callee.account import Account
from local.realtime.conversation import Item
from local.realtime.session import EmulatedSession
from local.speech.ports import BYTES_PER_MS, Utterance
from local.speech.word_board import WordBoard

SILENCE = b"\xff\x7f"
"""Both are zero in mu-law."""


@dataclass(frozen=True, slots=True)
class HeardPosition:
    """One truncation: what the model made, what it was told was heard, and what the callee heard, in ms.

    The last is a range: silence after a cut sounds like a pause in the words.
    """

    produced_ms: int
    told_ms: int
    heard_from_ms: int
    heard_to_ms: int

    @property
    def error_ms(self) -> int:
        """How far the told position lies outside what was heard; positive if too late."""
        if self.told_ms > self.heard_to_ms:
            return self.told_ms - self.heard_to_ms
        return min(0, self.told_ms - self.heard_from_ms)


def heard_positions(
    sessions: Sequence[EmulatedSession], number: str, account: Account
) -> Sequence[HeardPosition]:
    """Every truncation in those of the sessions that served the call to `number` (E.164)."""
    return [
        HeardPosition(len(item.sound) // BYTES_PER_MS, item.heard_ms, *_heard_ms(item, account))
        for session in sessions
        if _serves(session, number)
        for item in session.conversation.spoken
        if item.heard_ms is not None
    ]


def produced_for(sessions: Sequence[EmulatedSession], number: str) -> tuple[Utterance, ...]:
    """All that was made to be heard by the sessions that served the call to `number` (E.164)."""
    return tuple(_made(session for session in sessions if _serves(session, number)))


def openings_spoken(sessions: Sequence[EmulatedSession]) -> tuple[Utterance, ...]:
    """The openings that were spoken once for everybody."""
    return tuple(_made(session for session in sessions if _is_reading(session)))


def _made(sessions: Iterable[EmulatedSession]) -> Iterator[Utterance]:
    for session in sessions:
        for item in session.conversation.spoken:
            if item.sound:
                yield Utterance(item.text, item.sound, tuple(item.words))


def _serves(session: EmulatedSession, number: str) -> bool:
    return any(item.role == "system" and number in item.text for item in session.conversation.items)


def _is_reading(session: EmulatedSession) -> bool:
    """Calls begin with what is known of the lead."""
    return not any(item.role == "system" for item in session.conversation.items)


def _heard_ms(item: Item, account: Account) -> tuple[int, int]:
    board = WordBoard()
    board.post(Utterance("", item.sound, ()))
    end = max((hearing.end for hearing in board.hearings(account.heard)), default=0)
    certain = len(item.sound[:end].rstrip(SILENCE))
    return certain // BYTES_PER_MS, end // BYTES_PER_MS
