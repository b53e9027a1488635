"""Turns, interruptions, tools, silence, the end: calls of minutes in milliseconds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from media_service.engine import actions as ac
from media_service.engine import events as ev
from media_service.engine.machine import Machine
from shared.domain.conversation import CloseCause, Conversation, ToolUse, Turn
from shared.domain.journal import JournalEntry, conversation
from tests.unit.media_service.engine.phone_line import PhoneLine, Reply, opened

END = ("end_call", '{"outcome": "qualified"}')


def talking(line: PhoneLine) -> PhoneLine:
    """The callee has said something and Sofia's six-second answer is two seconds old."""
    line.speak("Sí, soy yo", 800)
    line.run(2_400)
    return line


LONG = Reply("Una respuesta larga que dura seis segundos enteros para poder cortarla.", 6_000)


def test_a_turn_is_answered_as_soon_as_it_is_committed() -> None:
    line = opened(Reply("¿Cómo llevan las citas?", 1_500))
    before = len(line.did(ac.CreateReply))
    line.speak("Sí, soy yo", 800)
    assert line.did(ac.CreateReply)[before][0] == line.now
    line.run(3_000)
    turn = line.turns[-1]
    assert turn.waterfall is not None
    assert turn.waterfall.decided_ms == turn.waterfall.stop_seen_ms
    assert turn.waterfall.first_frame_sent_ms == turn.waterfall.first_model_sound_ms


def test_barge_in_stops_the_sound_at_once_and_tells_the_model_nothing_before_the_verdict() -> None:
    line = talking(opened(LONG))
    actions = line.send(ev.SpeechStarted("u9", int(line.now) - 300))
    assert ac.SendClear() in actions
    line.run(600)
    assert not line.did(ac.TruncateItem)
    assert not line.did(ac.CancelReply)


def test_a_real_barge_in_truncates_to_what_was_heard() -> None:
    line = opened(LONG, Reply("De acuerdo.", 800))
    heard_before = line.heard_ms
    talking(line)
    line.speak("Perdone, ¿cuánto cuesta?", 1_200)
    line.run(400)
    (_, truncated), *more = line.did(ac.TruncateItem)
    assert not more
    assert isinstance(truncated, ac.TruncateItem)
    really_heard = line.heard_ms - heard_before
    assert truncated.heard_ms <= 6_000
    assert abs(truncated.heard_ms - really_heard) <= 100
    line.run(3_000)
    cut = next(turn for turn in line.turns if turn.interrupted)
    assert cut.said is not None
    assert cut.heard is not None
    assert cut.said.startswith(cut.heard)
    assert 0 < len(cut.heard) < len(cut.said)
    assert line.turns[-1].heard == "De acuerdo."


@pytest.mark.parametrize("noise", ["", "Ajá.", "mm, sí, ya"])
def test_a_false_one_leaves_no_trace_in_the_models_memory_and_sofia_goes_on(noise) -> None:
    line = opened(LONG)
    heard_before = line.heard_ms
    talking(line)
    item = line.speak(noise, 300)
    line.run(8_000)
    assert ac.DeleteItem(item) in [action for _, action in line.did(ac.DeleteItem)]
    assert not line.did(ac.TruncateItem)
    # All of it was heard, nothing twice but less than a frame.
    assert 6_000 <= line.heard_ms - heard_before <= 6_060
    assert line.turns[-2].heard == LONG.text or line.turns[-1].heard == LONG.text


def test_without_a_transcript_the_length_decides_after_600_ms() -> None:
    line = talking(opened(LONG))
    started = line.now
    line.send(ev.SpeechStarted("u9", int(started) - 300))
    line.run(1_500)
    line.send(ev.SpeechStopped("u9", int(line.now)))
    line.send(ev.Committed("u9"))
    line.run(599)
    assert not line.did(ac.TruncateItem)
    line.run(2)
    assert line.did(ac.TruncateItem)


def test_more_words_while_sofia_still_thinks_replace_the_reply_at_once() -> None:
    line = opened(Reply("Primera.", 1_000, think_ms=2_000), Reply("Segunda.", 1_000))
    line.speak("A este mismo móvil, sí.", 700)
    line.run(300)
    line.speak("Y que me llame una persona, ¿eh?", 900)
    line.run(3_500)
    assert line.turns[-1].heard == "Segunda."
    assert not any(turn.heard == "Primera." for turn in line.turns)


def test_late_deltas_of_a_cancelled_reply_are_dropped() -> None:
    line = opened(LONG, Reply("Bien.", 500))
    line.pace = 1.0
    talking(line)
    line.speak("No, no, escuche", 900)
    line.run(300)
    (cancelled,) = [
        a.response_id for _, a in line.did(ac.CancelReply) if isinstance(a, ac.CancelReply)
    ]
    sent = len(line.did(ac.SendSound))
    assert line.send(ev.SoundMade(cancelled, "late", bytes(1_600))) == []
    assert len(line.did(ac.SendSound)) == sent


def test_the_call_ends_only_after_the_goodbye_was_heard_and_exactly_once() -> None:
    line = opened(Reply("Gracias, que tenga buen día.", 3_000, tools=(END,)))
    line.speak("Venga, hasta luego", 900)
    answered = line.now
    line.run(10_000)
    ((hung_up_at, _),) = line.did(ac.HangUp)
    assert hung_up_at >= answered + 3_000
    uses = [
        use for use in line.recorded(ToolUse) if isinstance(use, ToolUse) and use.name == "end_call"
    ]
    assert len(uses) == 1
    assert line.closed is not None
    assert line.closed.cause is CloseCause.GOODBYE


def test_an_end_without_a_goodbye_gets_one() -> None:
    line = opened(Reply(tools=(END,)), Reply("Que tenga buen día.", 1_500))
    line.speak("Adiós", 500)
    line.run(6_000)
    assert line.turns[-1].heard == "Que tenga buen día."
    assert len(line.did(ac.HangUp)) == 1


def test_a_question_over_the_goodbye_stops_the_closing() -> None:
    line = opened(
        Reply("Gracias, que tenga muy buen día.", 4_000, tools=(END,)),
        Reply("Treinta y nueve euros.", 1_500),
    )
    line.speak("Vale, hasta luego", 900)
    line.run(1_800)
    line.speak("Oiga, ¿y el precio cuál era?", 1_400)
    line.run(5_000)
    assert not line.did(ac.HangUp)
    assert line.turns[-1].heard == "Treinta y nueve euros."


def test_goodbyes_that_cross_end_the_call() -> None:
    line = opened(Reply("Gracias, que tenga muy buen día.", 4_000, tools=(END,)))
    line.speak("Vale, hasta luego", 900)
    line.run(1_800)
    line.speak("Adiós, adiós", 700)
    line.run(3_000)
    assert len(line.did(ac.HangUp)) == 1


def test_tool_results_are_spoken_once_and_joined() -> None:
    calls = (("schedule_callback", "{}"), ("send_information", "{}"))
    line = opened(Reply(tools=calls), Reply("Queda anotado.", 1_000))
    before = len(line.did(ac.CreateReply))
    line.speak("El jueves a las once", 900)
    line.run(3_000)
    assert len(line.did(ac.AnswerTool)) == 2
    assert len(line.did(ac.CreateReply)) - before == 2


def test_waiting_for_the_user_needs_no_words() -> None:
    line = opened(Reply(tools=(("wait_for_user", "{}"),)))
    before = len(line.did(ac.CreateReply))
    line.speak("¡Niña, para el secador!", 900)
    line.run(3_000)
    assert len(line.did(ac.CreateReply)) - before == 1


def test_tools_of_a_cancelled_reply_do_not_run() -> None:
    line = opened()
    line.speak("Sí", 900)
    line.run(100)
    tag = line.did(ac.CreateReply)[-1][1]
    assert isinstance(tag, ac.CreateReply)
    line.send(ev.ToolCalled(f"resp-{tag.tag}", "call-x", "end_call", '{"outcome": "qual'))
    line.send(ev.ReplyEnded(f"resp-{tag.tag}", ev.ReplyStatus.CANCELLED))
    assert not any(
        a.call_id == "call-x" for _, a in line.did(ac.RunTool) if isinstance(a, ac.RunTool)
    )


def test_an_objection_is_registered_even_if_the_model_does_not() -> None:
    line = opened(Reply("Entiendo.", 800))
    line.speak("No me llamen más, por favor", 1_200)
    line.run(2_000)
    names = [a.name for _, a in line.did(ac.RunTool) if isinstance(a, ac.RunTool)]
    assert names == ["register_opt_out"]
    texts = [a.text for _, a in line.did(ac.AddItem) if isinstance(a, ac.AddItem)]
    assert "consta OP-4F7K" in texts


def test_a_model_that_registered_the_objection_itself_is_not_told_again() -> None:
    objection = ("register_opt_out", '{"scope": "tenant", "quote": "No me llamen más"}')
    line = opened(Reply("", 0, tools=(objection,), think_ms=100), Reply("Queda anotado.", 900))
    line.speak("No me llamen más, por favor", 1_200)
    line.run(2_000)
    texts = [a.text for _, a in line.did(ac.AddItem) if isinstance(a, ac.AddItem)]
    assert not any("consta" in text for text in texts)


def test_silence_is_asked_into_twice_and_then_ends_the_call() -> None:
    line = opened(
        Reply("¿Sigue ahí?", 800), Reply("¿Me oye?", 800), Reply("Le dejo, buen día.", 1_500)
    )
    line.run(30_000)
    assert line.closed is not None
    assert line.closed.cause is CloseCause.SILENCE
    assert [turn.heard for turn in line.turns[-3:]] == [
        "¿Sigue ahí?",
        "¿Me oye?",
        "Le dejo, buen día.",
    ]


def test_over_noise_sofia_waits_longer_before_she_asks_into_the_silence() -> None:
    line = opened(Reply("¿Me oye bien?", 1_000), Reply("¿Sigue ahí?", 800))
    line.speak("", 900)
    line.run(9_000)
    assert line.turns[-1].heard == "¿Me oye bien?"
    line.run(6_000)
    assert line.turns[-1].heard == "¿Sigue ahí?"


def test_a_refused_request_is_asked_again() -> None:
    line = opened()
    line.speak("Sí", 800)
    tag = line.did(ac.CreateReply)[-1][1]
    assert isinstance(tag, ac.CreateReply)
    before = len(line.did(ac.CreateReply))
    line.send(ev.ModelRefused("conversation_already_has_active_response", tag.tag))
    line.run(1_000)
    assert len(line.did(ac.CreateReply)) == before + 1


def test_a_failed_reply_is_tried_again() -> None:
    line = opened(Reply(status=ev.ReplyStatus.FAILED), Reply("Perdone, ¿decía?", 1_000))
    line.speak("¿Cuánto cuesta?", 800)
    line.run(4_000)
    assert line.turns[-1].heard == "Perdone, ¿decía?"


def test_a_lost_session_is_replaced_and_told_what_was_said() -> None:
    line = opened(Reply("¿Cómo llevan las citas?", 1_500))
    line.speak("Sí, soy yo", 800)
    line.run(4_000)
    actions = line.send(ev.ModelLost("1006"))
    assert ac.OpenModel() in actions
    said = [a.text for a in line.send(ev.ModelReady(line.now)) if isinstance(a, ac.AddItem)]
    assert said[0] == "datos"
    assert "Sí, soy yo" in said
    assert "¿Cómo llevan las citas?" in said


def test_the_same_call_twice_gives_the_same_actions() -> None:
    def play() -> list[tuple[float, ac.Action]]:
        line = talking(opened(LONG, Reply("Bien.", 500)))
        line.speak("No, no, escuche", 900)
        line.run(5_000)
        return line.log

    assert play() == play()


def test_a_hang_up_by_the_callee_keeps_what_was_heard() -> None:
    line = talking(opened(LONG))
    line.send(ev.PhoneStopped())
    assert line.closed is not None
    assert line.closed.cause is CloseCause.CALLEE_HUNG_UP
    assert line.turns[-1].interrupted
    assert line.turns[-1].heard != LONG.text


def test_a_lost_line_keeps_what_was_heard_for_the_next_task() -> None:
    line = talking(opened(LONG))
    records = line.machine.line_lost(line.now)
    (turn,) = [a.body for a in records if isinstance(a, ac.Record)]
    assert isinstance(turn, Turn)
    assert turn.interrupted
    assert turn.heard
    assert LONG.text.startswith(turn.heard)
    assert line.closed is None


def test_a_call_taken_over_goes_on_where_it_was() -> None:
    first = opened(Reply("¿Cómo llevan las citas?", 1_500))
    first.speak("Sí, soy yo", 800)
    first.run(4_000)
    first.speak("Con papel", 700)
    first.run(260)
    entries = [JournalEntry("c1", i, 1, a.body) for i, (_, a) in enumerate(first.did(ac.Record), 1)]  # type: ignore[attr-defined]
    plan = replace(first.machine.talk.plan, history=conversation(entries))
    second = Machine(plan)
    second.start(first.now + 900)
    actions = second.handle(ev.ModelReady(first.now), first.now + 950)
    items = [a.text for a in actions if isinstance(a, ac.AddItem)]
    assert items[0] == "datos"
    assert items[-2:] == ["Con papel", "sigue"]
    # What was left open is asked again; nobody is greeted twice.
    assert any(isinstance(a, ac.CreateReply) for a in actions)
    assert not any(isinstance(a, ac.SendSound) for a in actions)
    assert second.talk.book.agent_number == max(turn.n for turn in first.turns) + 1


def test_silence_after_a_takeover_is_noticed() -> None:
    first = opened()
    plan = replace(first.machine.talk.plan, history=Conversation(turns=tuple(first.turns)))
    timers = [a.name for a in Machine(plan).start(20_000) if isinstance(a, ac.SetTimer)]
    assert "silence" in timers
