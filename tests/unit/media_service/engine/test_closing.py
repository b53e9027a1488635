"""The end of a call: nobody is hung up on in the middle of something, and every call does end."""

from __future__ import annotations

import pytest

from media_service.engine import actions as ac
from media_service.engine import events as ev
from media_service.engine.farewell import is_farewell
from shared.domain.agent import Limits
from shared.domain.conversation import CloseCause, ToolUse
from tests.unit.media_service.engine.phone_line import PhoneLine, Reply, opened

END = ("end_call", '{"outcome": "qualified"}')
GOODBYE = Reply("Gracias, que tenga muy buen día.", 4_000, tools=(END,))
PRICE = Reply("Treinta y nueve euros.", 1_500)


def saying_goodbye(*replies: Reply, **settings: object) -> PhoneLine:
    """Sofia's four-second goodbye is a second old."""
    line = opened(GOODBYE, *replies, **settings)
    line.speak("Vale, hasta luego", 900)
    line.run(1_500)
    return line


def uses(line: PhoneLine) -> list[ToolUse]:
    return [use for use in line.recorded(ToolUse) if isinstance(use, ToolUse)]


@pytest.mark.parametrize("words_after_ms", [250, 800, 1_500, None])
def test_a_question_over_the_goodbye_is_answered_however_late_its_words_are(words_after_ms) -> None:
    line = saying_goodbye(PRICE)
    line.words_after_ms = words_after_ms
    line.speak("Oiga, ¿y el precio cuál era?", 1_400)
    line.run(6_000)
    assert not line.did(ac.HangUp)
    assert line.turns[-1].heard == PRICE.text


def test_a_cough_over_the_goodbye_loses_nothing_of_it() -> None:
    line = saying_goodbye()
    line.speak("", 200)
    line.run(8_000)
    assert line.turns[-1].heard == GOODBYE.text or line.turns[-2].heard == GOODBYE.text
    assert len(line.did(ac.HangUp)) == 1


def test_a_goodbye_over_a_long_last_turn_does_not_lose_the_appointment() -> None:
    last = Reply("Perfecto, queda para el jueves a las once. Que tenga buen día.", 8_000, (END,))
    line = opened(last)
    line.speak("El jueves a las once", 900)
    line.run(2_600)
    line.speak("Vale, hasta luego", 700)
    line.run(12_000)
    assert last.text in [turn.heard for turn in line.turns]
    assert len(line.did(ac.HangUp)) == 1


def test_words_before_a_wordless_end_are_answered() -> None:
    line = opened(Reply(tools=(END,), think_ms=700), PRICE)
    line.speak("No me interesa", 700)
    line.run(300)
    line.speak("Bueno, espere, ¿y cuánto cuesta?", 1_200)
    line.run(5_000)
    assert not line.did(ac.HangUp)
    assert not line.did(ac.RunTool)
    assert line.turns[-1].heard == PRICE.text
    told = [a.result for _, a in line.did(ac.AnswerTool) if isinstance(a, ac.AnswerTool)]
    assert [result["ok"] for result in told] == [False]


def test_a_noise_before_a_wordless_end_changes_nothing() -> None:
    line = opened(Reply(tools=(END,), think_ms=700), Reply("Que tenga buen día.", 1_500))
    line.speak("No me interesa", 700)
    line.run(300)
    line.speak("", 900)
    line.run(9_000)
    assert line.turns[-1].heard == "Que tenga buen día."
    assert len(line.did(ac.HangUp)) == 1


def test_an_end_that_the_callee_stopped_leaves_no_outcome() -> None:
    line = saying_goodbye(PRICE)
    line.speak("Espere, ¿y el precio cuál era?", 1_400)
    line.run(4_000)
    line.send(ev.PhoneStopped())
    assert not [use for use in uses(line) if use.name == "end_call"]
    assert line.closed is not None
    assert line.closed.cause is CloseCause.CALLEE_HUNG_UP


def test_an_objection_and_an_end_in_one_reply_get_one_goodbye() -> None:
    objection = ("register_opt_out", '{"scope": "tenant", "quote": "no me llamen más"}')
    both = Reply(tools=(objection, END))
    line = opened(both, Reply("Queda anotado con la referencia OP-4F7K. Adiós.", 2_500))
    before = len(line.did(ac.CreateReply))
    line.speak("No me llamen más", 900)
    line.run(9_000)
    assert len(line.did(ac.CreateReply)) - before == 2
    assert len(line.did(ac.HangUp)) == 1


def test_a_cough_while_tools_run_does_not_swallow_the_goodbye() -> None:
    objection = ("register_opt_out", '{"scope": "tenant", "quote": "no me llamen más"}')
    line = opened(
        Reply(tools=(objection, END)), Reply("Queda anotado. Adiós.", 1_500), tools_take_ms=900
    )
    line.speak("No me llamen más", 900)
    line.run(500)
    line.speak("", 250)
    line.run(9_000)
    assert line.turns[-1].heard == "Queda anotado. Adiós."
    assert len(line.did(ac.HangUp)) == 1


def test_a_cough_while_a_tool_runs_is_not_followed_by_silence() -> None:
    line = opened(
        Reply(tools=(("schedule_callback", "{}"),)),
        Reply("Queda anotado para el jueves.", 1_500),
        tools_take_ms=900,
    )
    line.speak("El jueves a las once", 900)
    line.run(500)
    line.speak("", 250)
    line.run(3_500)
    assert line.turns[-1].heard == "Queda anotado para el jueves."


def test_whoever_answers_a_goodbye_to_silence_is_there() -> None:
    line = opened(
        Reply("¿Sigue ahí?", 800),
        Reply("¿Me oye?", 800),
        Reply("Parece que no se oye, le dejo.", 3_000),
        Reply("Ah, muy bien.", 900),
    )
    line.run(15_500)
    line.speak("Sí, sí", 600)
    line.run(4_000)
    assert not line.did(ac.HangUp)
    assert line.turns[-1].heard == "Ah, muy bien."


def test_talking_over_the_last_goodbye_ends_with_the_limit_all_the_same() -> None:
    line = opened(limits=Limits(soft_s=18, hard_s=20))
    line.replies = [Reply("Una respuesta.", 2_500)] * 99
    while not line.machine.is_over and line.now < 90_000:
        line.speak("Y otra cosa que le quería preguntar", 2_000)
        line.run(1_500)
    assert line.closed is not None
    assert line.closed.cause is CloseCause.TIME_LIMIT
    assert line.now <= 42_000


def test_sound_that_never_ends_does_not_keep_a_call_open() -> None:
    line = saying_goodbye(limits=Limits(soft_s=40, hard_s=60))
    line.send(ev.SpeechStarted("music", int(line.now) - 300))
    line.run(120_000)
    assert line.closed is not None
    assert line.now <= 82_000


def test_the_hard_limit_says_goodbye_and_ends_the_call() -> None:
    line = opened(limits=Limits(soft_s=13, hard_s=14))
    line.replies = [Reply("Se nos acaba el tiempo, que tenga buen día.", 2_500)]
    line.run(12_000)
    assert line.closed is not None
    assert line.closed.cause is CloseCause.TIME_LIMIT
    assert line.turns[-1].heard == "Se nos acaba el tiempo, que tenga buen día."


def test_marks_that_never_come_back_do_not_stop_the_call() -> None:
    line = opened(Reply("Una respuesta de tres segundos.", 3_000))
    line.speak("Sí, soy yo", 800)
    line.carrier_delay_ms = 1e9
    line.run(20_000)
    assert len(line.did(ac.HangUp)) == 1 or line.did(ac.CreateReply)[-1][0] > line.now - 12_000
    assert any(turn.heard == "Una respuesta de tres segundos." for turn in line.turns)


@pytest.mark.parametrize(
    "text",
    [
        "Adiós",
        "Venga, pues muchas gracias, maja. Hasta luego.",
        "Vale, perfecto, hasta el jueves",
        "Igualmente, buen día",
        "Adiós, Mari",
        "Sí, sí, gracias",
        "Con Dios",
        "Adéu, bon dia",
    ],
)
def test_a_farewell_needs_no_answer(text) -> None:
    assert is_farewell(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Perfecto, pero una cosa, dígame el precio",
        "Gracias, pero quiero hablar con una persona",
        "vale, mejor llámenme el jueves",
        "Lo de hasta el jueves no me va bien",
        "Espere, espere",
        "Muchas gracias, ¿y cuánto cuesta?",
        "No, gracias, pero el viernes sí",
        "Oiga, adiós no",
    ],
)
def test_anything_else_does(text) -> None:
    assert not is_farewell(text)
