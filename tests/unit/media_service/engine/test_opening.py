"""Who starts, when, and that each duty is heard."""

from __future__ import annotations

from media_service.engine import actions as ac
from media_service.engine import events as ev
from shared.domain.agent import Duty, OpeningMode, TurnTaking
from shared.domain.conversation import DutyHeard
from shared.domain.latency import turn_latency
from tests.unit.media_service.engine.phone_line import CLIP, PhoneLine, Reply, opened

NAME = Reply("¿Hablo con Carmen?", 1_000)


def first_sound(line: PhoneLine) -> float:
    return line.did(ac.SendSound)[0][0]


def duties(line: PhoneLine) -> dict[Duty, int]:
    return {d.duty: d.heard_at_ms for d in line.recorded(DutyHeard) if isinstance(d, DutyHeard)}


def test_a_silent_answer_is_greeted_after_1200_ms() -> None:
    line = PhoneLine([NAME])
    line.run(1_199)
    assert not line.did(ac.SendSound)
    line.run(2)
    assert first_sound(line) == 1_200


def test_the_callee_speaks_first_and_sofia_follows_within_300_ms() -> None:
    line = PhoneLine([NAME])
    line.run(300)
    line.speak("¿Diga?", 500, pause_ms=200)
    spoken_until = 800
    assert first_sound(line) - spoken_until <= 300


def test_agent_first_starts_at_once() -> None:
    line = PhoneLine([NAME], turn_taking=TurnTaking(opening_mode=OpeningMode.AGENT_FIRST))
    assert first_sound(line) == 0


def test_every_duty_is_heard_and_has_its_moment() -> None:
    line = opened()
    heard = duties(line)
    assert set(heard) == set(Duty)
    assert (
        heard[Duty.AI]
        < heard[Duty.COMPANY]
        < heard[Duty.TRANSCRIPTION]
        < heard[Duty.RIGHT_TO_OBJECT]
    )
    # The clip began at 1,000 ms: right to object ends at its 10,000.
    assert abs(heard[Duty.RIGHT_TO_OBJECT] - 11_000) <= 200


def test_the_name_question_is_made_while_the_opening_plays_and_follows_it() -> None:
    line = opened()
    turn = line.turns[-1]
    assert turn.heard is not None
    assert turn.heard.endswith("lo anoto. ¿Hablo con Carmen?")
    asked_at = line.did(ac.CreateReply)[0][0]
    assert asked_at == first_sound(line)


def test_the_models_memory_holds_the_opening_behind_the_leads_facts() -> None:
    line = opened()
    items = [action for _, action in line.did(ac.AddItem) if isinstance(action, ac.AddItem)]
    opening = next(item for item in items if item.speaker is ac.Speaker.ASSISTANT)
    assert (opening.text, opening.after) == (CLIP.text, "lead")


def test_a_long_first_utterance_holds_the_opening_back_until_its_words_are_there() -> None:
    line = PhoneLine([NAME])
    line.run(200)
    line.speak(
        "Peluquería Carmen, buenas tardes, ahora mismo la atiendo, un momentito",
        3_000,
        pause_ms=200,
    )
    assert not line.did(ac.SendSound)
    line.run(260)
    assert line.did(ac.SendSound)
    line.run(20_000)
    waterfall = line.turns[-1].waterfall
    assert waterfall is not None
    # Waiting for the words is not Sofia's share of the silence.
    assert turn_latency(waterfall).own == 0


def test_a_mailbox_is_never_greeted() -> None:
    line = PhoneLine([NAME])
    line.run(200)
    line.speak("El teléfono al que llama está apagado o fuera de cobertura", 3_500, pause_ms=200)
    line.run(2_000)
    assert not line.did(ac.SendSound)
    assert line.closed is not None
    assert line.closed.cause == "voicemail"


def test_the_carriers_verdict_ends_a_call_that_only_a_machine_answered() -> None:
    line = PhoneLine([NAME])
    line.run(200)
    line.send(ev.SpeechStarted("u1", 100))
    line.run(3_500)
    line.send(ev.MachineVerdict("machine_start"))
    line.run(500)
    assert not line.did(ac.SendSound)
    assert len(line.did(ac.HangUp)) == 1


def test_the_carriers_verdict_does_not_end_a_conversation() -> None:
    line = opened()
    line.speak("Sí, soy yo", 800)
    line.run(300)
    line.send(ev.MachineVerdict("machine_start"))
    assert not line.did(ac.HangUp)


def test_a_greeting_that_goes_on_starts_the_opening_anew() -> None:
    line = PhoneLine([NAME])
    line.run(300)
    line.speak("¿Sí?", 300, pause_ms=200)
    line.run(200)
    line.speak("Peluquería Carmen, dígame", 1_500)
    line.run(13_000)
    assert set(duties(line)) == set(Duty)
    assert not line.did(ac.TruncateItem)
    sofias = [turn for turn in line.turns if turn.who == "agent"]
    assert [turn.heard for turn in sofias] == [f"{CLIP.text} ¿Hablo con Carmen?"]


def announcing() -> PhoneLine:
    """A mailbox that pauses after its first words, so that the opening begins, and then goes on for long."""
    line = PhoneLine([NAME])
    line.run(200)
    line.speak("Ha llamado al", 1_700, pause_ms=200)
    line.run(100)
    line.send(ev.SpeechStarted("long", int(line.now) - 300))
    line.run(2_500)
    return line


def test_a_machines_verdict_counts_while_somebody_talks_into_the_beginning_of_the_opening() -> None:
    line = announcing()
    line.send(ev.MachineVerdict("machine_start"))
    assert len(line.did(ac.HangUp)) == 1


def test_a_long_announcement_into_the_opening_is_not_greeted_before_its_words_are_known() -> None:
    line = announcing()
    line.run(8_000)
    line.send(ev.SpeechStopped("long", int(line.now)))
    line.send(ev.Committed("long"))
    sent = len(line.did(ac.SendSound))
    line.run(1_500)
    assert len(line.did(ac.SendSound)) == sent
    line.send(ev.WordsHeard("long", "El teléfono al que llama está apagado o fuera de cobertura"))
    assert len(line.did(ac.HangUp)) == 1
    assert line.turns[-1].interrupted or line.turns[-1].who == "callee"


def test_after_a_cut_sofia_answers_first_and_then_says_what_is_missing() -> None:
    line = PhoneLine([NAME, Reply("Soy una inteligencia artificial.", 2_000)])
    line.run(300)
    line.speak("¿Diga?", 500, pause_ms=200)
    line.run(4_500)
    line.speak("Uy, espera, ¿esto es una grabación?", 1_200)
    line.run(14_000)
    cut, *_, rest = [turn for turn in line.turns if turn.who == "agent"]
    assert cut.interrupted
    assert cut.heard is not None
    assert cut.heard.startswith(CLIP.clauses[0].text)
    assert cut.heard != cut.said
    assert rest.heard is not None
    assert rest.heard.startswith("Soy una inteligencia artificial. y llamo de parte de Nubelia")
    assert set(duties(line)) == set(Duty)
    memory = [
        a
        for _, a in line.did(ac.AddItem)
        if isinstance(a, ac.AddItem) and a.speaker is ac.Speaker.ASSISTANT
    ]
    assert memory[1].text == cut.heard
