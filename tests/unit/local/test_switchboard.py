"""Who takes a call, and how long that is remembered."""

from __future__ import annotations

from local.callee.actor import PersonaActor
from local.callee.persona import load_personas
from local.carrier.far_end import RingingCall
from local.switchboard import REMEMBERED_MAX, Switchboard

NUMBER = "+34600000001"
PERSONA = load_personas().personas[0]


def ringing(sid: str, number: str = NUMBER) -> RingingCall:
    return RingingCall(sid, "+34400000012", number)


def test_whoever_was_connected_takes_one_call_before_the_resident() -> None:
    board, guest, resident = Switchboard(), PersonaActor(PERSONA), PersonaActor(PERSONA)
    board.settle(NUMBER, lambda: resident)
    board.connect(NUMBER, guest)
    assert [board.far_end_for(ringing(sid)) for sid in ("CA1", "CA2")] == [guest, resident]
    assert board.far_end_for(ringing("CA3", "+34600000002")) is None
    assert board.taken == {"CA1": guest, "CA2": resident}


def test_only_the_last_takers_are_remembered() -> None:
    board = Switchboard()
    board.settle(NUMBER, lambda: PersonaActor(PERSONA))
    for number in range(REMEMBERED_MAX + 1):
        board.far_end_for(ringing(f"CA{number}"))
    assert len(board.taken) == REMEMBERED_MAX
    assert "CA0" not in board.taken
