"""The model's session fails in every moment of a call: no second greeting, no duty lost, nobody left in silence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from media_service.engine import actions as ac
from media_service.engine import events as ev
from media_service.engine.machine import Machine
from shared.domain.agent import Duty
from shared.domain.conversation import CloseCause, Conversation, DutyHeard, ToolUse
from tests.unit.media_service.engine.phone_line import CLIP, PhoneLine, Reply, opened

NAME = Reply("¿Hablo con Carmen?", 1_000)
FREE = Reply("Una respuesta cualquiera.", 1_500)


def duties(line: PhoneLine) -> set[Duty]:
    return {d.duty for d in line.recorded(DutyHeard) if isinstance(d, DutyHeard)}


def sofias(line: PhoneLine) -> list[str | None]:
    return [turn.heard for turn in line.turns if turn.who == "agent"]


def test_a_session_lost_before_a_silent_callee_is_greeted_changes_nothing() -> None:
    line = PhoneLine([NAME])
    line.run(600)
    line.lose_session()
    line.run(15_000)
    assert sofias(line)[0] == f"{CLIP.text} {NAME.text}"
    assert duties(line) == set(Duty)


def test_a_session_lost_during_the_first_words_is_followed_by_the_opening() -> None:
    line = PhoneLine([NAME])
    line.run(300)
    line.send(ev.SpeechStarted("u1", 200))
    line.run(400)
    line.lose_session()
    line.run(18_000)
    assert sofias(line)[0] == f"{CLIP.text} {NAME.text}"
    assert duties(line) == set(Duty)


def test_a_session_lost_during_the_opening_knows_it_and_asks_for_the_name_again() -> None:
    line = PhoneLine([replace(NAME, think_ms=5_000), NAME])
    line.run(1_300)
    line.run(2_000)
    line.lose_session()
    line.run(12_000)
    assert sofias(line)[0] == f"{CLIP.text} {NAME.text}"
    assert duties(line) == set(Duty)
    last_lead = max(
        i for i, (_, a) in enumerate(line.log) if isinstance(a, ac.AddItem) and a.item_id == "lead"
    )
    texts = [a.text for _, a in line.log[last_lead:] if isinstance(a, ac.AddItem)]
    assert CLIP.text in texts


def test_a_session_lost_while_a_cut_of_the_opening_is_open_loses_no_duty() -> None:
    line = PhoneLine([NAME, FREE])
    line.run(1_300)
    line.run(4_000)
    line.send(ev.SpeechStarted("u1", int(line.now) - 300))
    line.run(600)
    line.lose_session()
    line.run(20_000)
    cut = line.turns[0]
    assert cut.interrupted
    assert cut.heard is not None
    assert len(cut.heard) < len(CLIP.text)
    assert duties(line) == set(Duty)


def test_a_session_lost_while_the_callee_speaks_is_not_followed_by_silence() -> None:
    line = opened()
    line.send(ev.SpeechStarted("u9", int(line.now) - 300))
    line.run(700)
    line.lose_session()
    line.run(9_000)
    assert any(turn.who == "callee" and turn.n == line.turns[-2].n for turn in line.turns)
    nudges = [a for _, a in line.did(ac.AddItem) if isinstance(a, ac.AddItem)]
    assert "sigue ahí" in [a.text for a in nudges]


def test_a_new_session_listens_with_the_agents_own_pause() -> None:
    line = opened()
    before = len(line.did(ac.Listen))
    line.lose_session()
    line.run(500)
    assert [a for _, a in line.did(ac.Listen)][before:] == [ac.Listen(500)]


def test_a_task_that_takes_over_listens_with_the_agents_own_pause() -> None:
    first = opened()
    plan = replace(first.machine.talk.plan, history=Conversation(turns=tuple(first.turns)))
    second = Machine(plan)
    second.start(20_000)
    assert ac.Listen(500) in second.handle(ev.ModelReady(20_000), 20_100)


def test_a_failed_reply_is_not_asked_for_again_behind_a_newer_one() -> None:
    failed = Reply(status=ev.ReplyStatus.FAILED)
    line = opened(failed, Reply("Cuesta treinta y nueve euros.", 1_500), Reply("OTRA VEZ", 900))
    line.speak("¿Cuánto cuesta?", 800)
    line.run(450)
    line.speak("El precio, digo", 400)
    line.run(3_800)
    assert "OTRA VEZ" not in sofias(line)
    assert sofias(line)[-1] == "Cuesta treinta y nueve euros."


def test_a_model_that_always_fails_is_given_up() -> None:
    line = opened()
    line.replies = [Reply(status=ev.ReplyStatus.FAILED)] * 99
    line.speak("¿Cuánto cuesta?", 800)
    line.run(120_000)
    assert line.sessions <= 5
    assert line.closed is not None
    assert line.closed.cause is CloseCause.MODEL_LOST


@pytest.mark.parametrize("code", ["insufficient_quota", "billing_hard_limit_reached"])
def test_an_account_that_is_exhausted_ends_the_call_at_once(code) -> None:
    line = opened(Reply(status=ev.ReplyStatus.FAILED, code=code))
    line.speak("¿Cuánto cuesta?", 800)
    line.run(2_000)
    assert line.sessions == 1
    assert line.closed is not None
    assert line.closed.cause is CloseCause.MODEL_LOST


def test_no_session_at_all_ends_the_call_as_lost() -> None:
    line = PhoneLine([NAME])
    line.send(ev.ModelUnavailable("TimeoutError"))
    line.run(500)
    assert line.closed is not None
    assert line.closed.cause is CloseCause.MODEL_LOST


def test_a_request_that_the_model_refuses_for_ever_is_given_up() -> None:
    line = opened()
    line.refuses = True
    line.speak("Sí", 800)
    line.run(120_000)
    assert line.closed is not None
    assert line.closed.cause is CloseCause.MODEL_LOST


def test_a_key_before_the_opening_is_no_reason_to_speak() -> None:
    line = PhoneLine([NAME])
    line.run(200)
    line.send(ev.DigitPressed("1"))
    assert not line.did(ac.CreateReply)
    line.run(13_000)
    assert sofias(line)[0] == f"{CLIP.text} {NAME.text}"


def test_noise_that_never_ends_does_not_keep_sofia_silent() -> None:
    line = PhoneLine([NAME])
    line.run(200)
    line.send(ev.SpeechStarted("dryer", 100))
    line.run(20_000)
    assert line.did(ac.SendSound)


def test_a_human_verdict_releases_a_held_opening() -> None:
    line = PhoneLine([NAME], words_after_ms=None)
    line.run(200)
    line.speak("Peluquería Carmen, buenas tardes, le atiende Nerea", 3_000, pause_ms=200)
    line.run(500)
    assert not line.did(ac.SendSound)
    line.send(ev.MachineVerdict("human"))
    assert line.did(ac.SendSound)


def test_an_objection_that_could_not_be_stored_is_not_confirmed() -> None:
    line = opened(Reply("Entiendo.", 800), Reply("De acuerdo.", 800), tools_work=False)
    line.speak("No me llamen más, por favor", 1_200)
    line.run(3_000)
    texts = [a.text for _, a in line.did(ac.AddItem) if isinstance(a, ac.AddItem)]
    assert not any("consta" in text for text in texts)
    line.speak("Que no me llamen más", 1_000)
    line.run(3_000)
    tried = [a for _, a in line.did(ac.RunTool) if isinstance(a, ac.RunTool)]
    assert len(tried) == 2


def test_an_objection_after_the_goodbye_still_counts() -> None:
    line = opened(
        Reply("Que tenga buen día.", 1_000, tools=(("end_call", '{"outcome": "hung_up"}'),))
    )
    line.speak("Adiós", 400)
    line.run(1_500)
    line.words_after_ms = None
    item = line.speak("Y no me llamen más", 700)
    while not line.did(ac.HangUp):
        line.run(10)
    line.send(ev.WordsHeard(item, "Y no me llamen más"))
    assert [a.name for _, a in line.did(ac.RunTool) if isinstance(a, ac.RunTool)][-1] == (
        "register_opt_out"
    )


def test_two_items_of_one_reply_are_heard_without_a_hole_between_them() -> None:
    line = opened(Reply("Primero una cosa y luego otra distinta.", 4_000, items=2, think_ms=400))
    line.pace = 1.0
    line.speak("¿Cuánto cuesta?", 800)
    heard_before = line.heard_ms
    line.run(4_600)
    assert line.heard_ms - heard_before >= 3_900


def test_what_was_said_stays_in_order_in_the_models_memory() -> None:
    line = PhoneLine([NAME, FREE, FREE])
    line.run(1_300)
    line.run(4_000)
    line.speak("¿Esto es una grabación?", 1_000)
    line.run(4_500)
    line.speak("Perdone, ¿quién dice que es?", 1_000)
    line.run(1_000)
    pieces = [
        a
        for _, a in line.did(ac.AddItem)
        if isinstance(a, ac.AddItem) and a.item_id.startswith("opening")
    ]
    assert pieces[0].after == "lead"
    assert [piece.after for piece in pieces[2:]] == [None] * len(pieces[2:])
    assert len(pieces) >= 3


def test_tools_are_on_record_once() -> None:
    line = opened(Reply(tools=(("save_lead_info", "{}"),)), Reply("Anotado.", 800))
    line.speak("Somos tres", 700)
    line.run(4_000)
    assert len([u for u in line.recorded(ToolUse) if isinstance(u, ToolUse)]) == 1
