"""How far the product was off in what the callee had heard when it was interrupted.

Each truncation names the millisecond up to which Sofia's words were heard. Here it is held against the callee's own
ear: the produced sound of the item is found again, byte for byte, in all the sound that reached the callee.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from local.callee.account import Account
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
        HeardPosition(len(sound) // BYTES_PER_MS, told_ms, *_heard_ms(sound, account.heard))
        for sound, told_ms in _truncations(sessions, number)
    ]


def _truncations(sessions: Sequence[EmulatedSession], number: str) -> Iterator[tuple[bytes, int]]:
    for session in sessions:
        items = session.conversation.items
        if not any(item.role == "system" and number in item.text for item in items):
            continue
        for item in items:
            if item.role == "assistant" and item.heard_ms is not None:
                yield item.sound, item.heard_ms


def _heard_ms(sound: bytes, heard: bytes) -> tuple[int, int]:
    board = WordBoard()
    board.post(Utterance("", sound, ()))
    end = max((hearing.end for hearing in board.hearings(heard)), default=0)
    certain = len(sound[:end].rstrip(SILENCE))
    return certain // BYTES_PER_MS, end // BYTES_PER_MS
