"""A call screener answers: it is told who calls, and the person behind it hears the whole opening."""

from __future__ import annotations

from media_service.engine import actions as ac
from media_service.engine import events as ev
from shared.domain.agent import Duty
from shared.domain.conversation import CloseCause, DutyHeard, ToolUse
from tests.unit.media_service.engine.phone_line import CLIP, PhoneLine, Reply

ASKS = "Hola, la persona a la que llama usa un asistente de llamadas. Diga su nombre y el motivo."
WHO = Reply("Soy Sofía, una inteligencia artificial de Nubelia, y es una llamada comercial.", 4_000)
NAME = Reply("¿Hablo con Carmen?", 1_000)


def screened() -> PhoneLine:
    """The screener has asked, and Sofia has answered."""
    line = PhoneLine([WHO, NAME])
    line.run(200)
    line.speak(ASKS, 5_000, pause_ms=200)
    line.run(6_000)
    return line


def test_a_screener_hears_one_sentence_and_not_the_opening() -> None:
    line = screened()
    assert [turn.heard for turn in line.turns if turn.who == "agent"] == [WHO.text]
    assert not line.recorded(DutyHeard)
    assert not line.did(ac.HangUp)


def test_the_person_behind_it_hears_every_duty() -> None:
    line = screened()
    line.speak("Gracias, espere un momento.", 1_500, pause_ms=200)
    line.run(3_000)
    assert len([turn for turn in line.turns if turn.who == "agent"]) == 1
    line.speak("¿Sí, dígame?", 700, pause_ms=200)
    line.run(14_000)
    assert line.turns[-1].heard == f"{CLIP.text} {NAME.text}"
    assert {d.duty for d in line.recorded(DutyHeard) if isinstance(d, DutyHeard)} == set(Duty)


def test_a_person_who_comes_while_sofia_answers_the_screener_is_heard() -> None:
    line = PhoneLine([WHO, NAME])
    line.run(200)
    line.speak(ASKS, 5_000, pause_ms=200)
    line.run(1_800)
    actions = line.send(ev.SpeechStarted("person", int(line.now) - 300))
    assert ac.SendClear() in actions


def test_nobody_behind_the_screener_ends_the_call_as_a_mailbox() -> None:
    line = screened()
    line.run(40_000)
    assert line.closed is not None
    assert line.closed.cause is CloseCause.VOICEMAIL
    (use,) = [use for use in line.recorded(ToolUse) if isinstance(use, ToolUse)]
    assert use.arguments == {"outcome": "voicemail"}


def test_a_screener_that_asks_again_and_again_is_left() -> None:
    line = PhoneLine([WHO, WHO, WHO])
    for _ in range(4):
        line.run(200)
        line.speak(ASKS, 5_000, pause_ms=200)
        line.run(5_500)
    assert line.closed is not None
    assert len([turn for turn in line.turns if turn.who == "agent"]) == 2


def test_a_menu_is_not_a_mailbox() -> None:
    line = PhoneLine([NAME])
    line.run(200)
    line.speak("Para pedir cita, pulse uno. Para otra cosa, pulse dos.", 4_000, pause_ms=200)
    line.run(1_000)
    (use,) = [use for use in line.recorded(ToolUse) if isinstance(use, ToolUse)]
    assert use.arguments == {"outcome": "ivr"}
