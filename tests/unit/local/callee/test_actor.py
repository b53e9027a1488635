"""A persona on the phone, on a virtual clock. Every word lasts 200 ms; times are in ms."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from local.callee.actor import NotPrepared, PersonaActor, State
from local.callee.manners import Manners
from local.carrier.far_end import MachineVerdict
from local.speech.sound import rms
from local.speech.word_board import WordBoard

Line = Callable[..., Awaitable[Any]]
Agent = Callable[[int, int], Any]

HELLO = {"say": "¿Sí? dígame", "when": "first"}


async def test_the_person_answers_with_a_line_and_waits_for_the_agent(
    line: Line, agent: Agent
) -> None:
    call = await line(HELLO, {"say": "Soy yo."})
    account = call.run(agent(1_000, 2_000), until_ms=20_000)
    first, second = account.own_speech
    assert (first.utterance, first.start_ms, first.end_ms) == (1, 300, 700)
    assert (second.utterance, second.start_ms) == (2, 3_700)
    assert call.sounding_ms() == [300, 3_700]
    assert not second.cut_in


async def test_the_persons_own_account_of_the_agents_sound(line: Line, agent: Agent) -> None:
    call = await line(HELLO, {"say": "Soy yo."})
    account = call.run(agent(1_000, 2_000), agent(5_000, 1_000), until_ms=30_000)
    assert [(each.start_ms, each.end_ms) for each in account.agent_speech] == [
        (1_000, 3_000),
        (5_000, 6_000),
    ]
    assert [each.heard_bytes for each in account.agent_speech] == [16_000, 8_000]
    assert account.answer_to_first_sound_ms == 1_000
    assert account.first_words_to_opening_ms == 300
    assert [each.silence_ms for each in account.gaps] == [300, 900]
    assert rms(account.heard[: 1_000 * 8]) == 0
    assert rms(account.heard[1_000 * 8 : 3_000 * 8]) > 500


async def test_a_pause_between_words_is_not_the_end_of_the_agents_turn(
    line: Line, agent: Agent
) -> None:
    call = await line(HELLO, {"say": "Soy yo."})
    account = call.run(agent(1_000, 1_000), agent(2_400, 600), until_ms=20_000)
    assert account.own_speech[1].start_ms == 3_700
    assert len(account.agent_speech) == 1


async def test_an_interruption_begins_in_the_middle_and_is_timed(line: Line, agent: Agent) -> None:
    call = await line(HELLO, {"say": "Espera, ¿quién eres?", "when": "interrupt", "at_ms": 800})
    account = call.run(agent(1_000, 1_200), until_ms=20_000)
    assert account.own_speech[1].start_ms == 1_800
    assert account.own_speech[1].cut_in
    (barge_in,) = account.barge_ins
    assert (barge_in.utterance, barge_in.agent_stopped_ms) == (2, 400)


async def test_an_agent_that_does_not_stop_is_timed_to_its_end(line: Line, agent: Agent) -> None:
    call = await line(HELLO, {"say": "Espera.", "when": "interrupt", "at_ms": 800})
    account = call.run(agent(1_000, 5_000), until_ms=20_000)
    assert account.barge_ins[0].agent_stopped_ms == 4_200


async def test_what_the_agent_says_after_a_pause_is_no_failure_to_stop(
    line: Line, agent: Agent
) -> None:
    call = await line(HELLO, {"say": "Espera.", "when": "interrupt", "at_ms": 1_060})
    account = call.run(agent(1_000, 1_000), agent(4_000, 2_000), until_ms=20_000)
    assert account.barge_ins[0].agent_stopped_ms == 0


async def test_an_interruption_that_comes_too_late_is_said_when_the_agent_ends(
    line: Line, agent: Agent
) -> None:
    call = await line(HELLO, {"say": "Espera.", "when": "interrupt", "at_ms": 5_000})
    account = call.run(agent(1_000, 600), until_ms=20_000)
    assert account.own_speech[1].start_ms == 2_300
    assert account.barge_ins == ()


async def test_the_tail_of_an_interrupted_turn_is_not_an_answer(line: Line, agent: Agent) -> None:
    call = await line(
        HELLO, {"say": "Ya.", "when": "interrupt", "at_ms": 500}, {"say": "Pues eso."}
    )
    account = call.run(agent(1_000, 1_000), agent(2_500, 1_000), until_ms=20_000)
    assert account.own_speech[1].end_ms == 1_700
    assert account.own_speech[2].start_ms == 4_200


async def test_the_next_interruption_counts_from_the_next_turn(line: Line, agent: Agent) -> None:
    call = await line(
        HELLO,
        {"say": "Perdona.", "when": "interrupt", "at_ms": 400},
        {"say": "Que no.", "when": "interrupt", "at_ms": 600},
    )
    account = call.run(agent(1_000, 600), agent(3_000, 2_000), until_ms=20_000)
    assert [each.start_ms for each in account.own_speech] == [300, 1_400, 3_600]


async def test_the_person_finishes_the_line_when_the_agent_talks_over_it(
    line: Line, agent: Agent
) -> None:
    call = await line({"say": "uno dos tres cuatro cinco seis", "when": "first"})
    account = call.run(agent(700, 1_000), until_ms=20_000)
    assert call.sounding_ms() == [300]
    assert account.own_speech[0].end_ms == 1_500
    (cut_in,) = account.agent_cut_ins
    assert (cut_in.utterance, cut_in.start_ms) == (1, 700)
    assert account.first_words_to_opening_ms is None


async def test_no_wait_follows_at_once(line: Line) -> None:
    call = await line(HELLO, {"say": "¿Oiga?", "when": "no_wait"})
    account = call.run(until_ms=3_000)
    assert account.own_speech[1].start_ms == 900


async def test_after_words_to_the_room_the_person_comes_back_without_an_answer(
    line: Line, agent: Agent
) -> None:
    call = await line(HELLO, {"say": "¡Niña, para!", "to": "room"}, {"say": "Ya está."})
    account = call.run(agent(1_000, 1_000), until_ms=20_000)
    room, back = account.own_speech[1:]
    assert (room.to_room, back.to_room) == (True, False)
    assert back.start_ms == room.end_ms + 2_500
    loudness = [rms(frame.sound) for frame in call.sent]
    assert max(loudness[room.start_ms // 20 : room.end_ms // 20]) < 0.5 * max(loudness)


async def test_a_silent_person_waits_and_then_goes_on(line: Line, agent: Agent) -> None:
    call = await line(HELLO, {"silence": 3_000}, {"say": "Vale."})
    account = call.run(agent(1_000, 1_000), until_ms=20_000)
    assert account.own_speech[1].start_ms == 2_700 + 3_000


async def test_sounds_are_played_and_kept_apart_from_words(line: Line, agent: Agent) -> None:
    call = await line(
        HELLO, {"sound": "hair_dryer", "ms": 1_000, "when": "no_wait"}, {"say": "¿Diga?"}
    )
    account = call.run(agent(800, 1_000), until_ms=20_000)
    dryer = account.own_speech[1]
    assert (dryer.utterance, dryer.is_speech, dryer.start_ms) == (None, False, 700)
    assert account.own_speech[2].utterance == 2
    assert account.own_speech[2].start_ms == 2_500


async def test_patience_one_question_then_the_person_hangs_up(line: Line) -> None:
    call = await line(HELLO, {"say": "Soy yo."})
    account = call.run(until_ms=60_000)
    question = account.own_speech[1]
    assert (question.text, question.utterance, question.start_ms) == ("¿Oiga?", None, 8_700)
    assert account.hung_up_ms == question.end_ms + 12_000
    assert not account.script_played


async def test_an_agent_that_wakes_up_is_listened_to(line: Line, agent: Agent) -> None:
    call = await line(HELLO, {"say": "Soy yo."})
    account = call.run(agent(10_000, 1_000), until_ms=60_000)
    assert [each.text for each in account.own_speech] == ["¿Sí? dígame", "¿Oiga?", "Soy yo."]


async def test_after_the_last_line_the_person_waits_for_the_goodbye(
    line: Line, agent: Agent
) -> None:
    call = await line(HELLO)
    account = call.run(agent(1_000, 2_000), until_ms=60_000)
    assert account.hung_up_ms == 9_000
    assert account.script_played
    assert call.sent[-1].hang_up


async def test_an_agent_that_never_stops_is_left_in_the_end(line: Line, agent: Agent) -> None:
    call = await line(HELLO)
    assert call.run(agent(1_000, 90_000), until_ms=90_000).hung_up_ms == 30_700


async def test_an_agent_that_hangs_up_ends_the_account(line: Line, agent: Agent) -> None:
    call = await line(HELLO)
    account = call.run(agent(1_000, 1_000), until_ms=4_000)
    assert (account.hung_up_ms, account.ended_ms) == (None, 3_980)
    assert call.actor.state is State.OVER


async def test_somebody_who_hears_nothing_goes_on_with_the_lines(line: Line, agent: Agent) -> None:
    call = await line(HELLO, {"say": "¿Oiga?"}, {"say": "No se oye."}, channel={"one_way": True})
    account = call.run(agent(800, 9_000), until_ms=60_000)
    assert [each.start_ms for each in account.own_speech] == [300, 3_200, 5_900]
    assert account.hung_up_ms == 6_500 + 6_000


async def test_a_mailbox_waits_for_nobody(line: Line, agent: Agent) -> None:
    call = await line(
        {"say": "Ha llamado al seis", "when": "first"},
        {"sound": "beep", "ms": 600},
        {"silence": 4_000},
        {"say": "Adiós."},
        answered_by="network_voicemail",
    )
    account = call.run(until_ms=60_000)
    assert [each.start_ms for each in account.own_speech] == [200, 1_000, 5_800]
    assert account.hung_up_ms == 7_000
    plan = call.actor.pickup_plan()
    assert plan.verdict is MachineVerdict.MACHINE_START
    assert 3_000 <= plan.verdict_after_ms <= 5_000


async def test_noise_lies_under_everything(line: Line) -> None:
    call = await line(HELLO, channel={"noise": "hair_dryer", "snr_db": 10})
    call.run(until_ms=3_000)
    loudness = [rms(frame.sound) for frame in call.sent]
    assert min(loudness) > 300


@pytest.mark.parametrize(
    ("words", "to", "goes_on"),
    [
        ("¡Niña, para el secador!", "room", False),
        ("¡Niña, ven!", "room", True),
        ("Tengo el secador.", "agent", True),
    ],
)
async def test_a_hair_dryer_stops_when_the_room_is_told_so(
    line: Line, words: str, to: str, goes_on: bool
) -> None:
    call = await line(
        HELLO,
        {"say": words, "to": to, "when": "no_wait"},
        channel={"noise": "hair_dryer", "snr_db": 5},
    )
    call.run(until_ms=4_000)
    loudness = [rms(frame.sound) for frame in call.sent]
    assert min(loudness[:40]) > 200
    assert (loudness[-1] > 200) is goes_on


async def test_with_text_ears_words_are_posted_and_speech_stays_clean(
    persona: Callable[..., Any], tone_voice: Any
) -> None:
    board = WordBoard()
    noisy = persona({"say": "¿Sí? dígame", "when": "first"}, channel={"noise": "street"})
    actor = PersonaActor(noisy, board=board)
    await actor.prepare(tone_voice)
    actor.answered(0)
    sent = b"".join(actor.exchange(b"\xff" * 160, at_ms).sound for at_ms in range(0, 2_000, 20))
    assert rms(sent[: 300 * 8]) > 50
    assert board.words_in(sent) == "¿Sí? dígame"


async def test_strict_scripts_wait_for_ever(persona: Callable[..., Any], tone_voice: Any) -> None:
    strict = Manners(asks_who_is_there_ms=None)
    actor = PersonaActor(persona(HELLO, {"say": "Soy yo."}), manners=strict)
    await actor.prepare(tone_voice)
    actor.answered(0)
    frames = [actor.exchange(b"\xff" * 160, at_ms) for at_ms in range(0, 60_000, 20)]
    assert not any(frame.hang_up for frame in frames)
    assert len(actor.account().own_speech) == 1


def test_a_phone_must_not_ring_before_the_lines_are_made(persona: Callable[..., Any]) -> None:
    with pytest.raises(NotPrepared):
        PersonaActor(persona(HELLO)).pickup_plan()


async def test_a_line_without_sound_does_not_stop_the_play(line: Line, agent: Agent) -> None:
    call = await line({"say": " ", "when": "first"}, {"say": "Soy yo.", "when": "no_wait"})
    account = call.run(until_ms=3_000)
    assert [each.utterance for each in account.own_speech] == [1, 2]
