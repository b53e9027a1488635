"""What a journal adds up to, also after its task was replaced."""

from __future__ import annotations

from shared.domain.conversation import CloseCause, Turn, Who
from shared.domain.journal import Closed, JournalEntry, conversation, valid_entries


def a_turn(n: int, text: str | None) -> Turn:
    return Turn(n, Who.CALLEE, text, text, n * 1_000, n * 1_000 + 500)


def entry(seq: int, fence: int, body: object) -> JournalEntry:
    return JournalEntry("c1", seq, fence, body)  # type: ignore[arg-type]


def test_a_turn_written_again_counts_as_written_last() -> None:
    talk = conversation([entry(1, 1, a_turn(1, None)), entry(2, 1, a_turn(1, "¿Diga?"))])
    assert [turn.said for turn in talk.turns] == ["¿Diga?"]


def test_order_of_arrival_does_not_matter() -> None:
    entries = [
        entry(1, 1, a_turn(1, "a")),
        entry(2, 1, a_turn(2, "b")),
        entry(3, 1, Closed(CloseCause.GOODBYE, 9)),
    ]
    assert conversation(reversed(entries)) == conversation(entries)


def test_what_an_outdated_task_wrote_after_its_successor_began_is_dropped() -> None:
    entries = [
        entry(1, 1, a_turn(1, "a")),
        entry(2, 1, a_turn(2, "stale")),
        entry(2, 2, a_turn(2, "right")),
        entry(3, 1, a_turn(3, "stale")),
    ]
    assert [e.fence for e in valid_entries(entries)] == [1, 2]
    assert [turn.said for turn in conversation(entries).turns] == ["a", "right"]
