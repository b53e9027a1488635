"""The agent's turns by the callee's ear: words, cuts, and sound that nobody made."""

from __future__ import annotations

import numpy as np

from local.callee.account import Account, OwnSpeech
from local.callee.ear import heard_at_ms, heard_turns
from local.callee.listening import AgentListening
from local.callee.recollection import Recollection
from local.speech.ports import BYTES_PER_MS, FRAME_BYTES, Utterance, WordTiming

FRAME_MS = 20
WORD_MS = 400


def spoken(text: str) -> Utterance:
    """Every word is 400 ms of noise that belongs to it."""
    words = text.split()
    sound = b"".join(
        np.random.default_rng([*word.encode()])
        .integers(0, 32, WORD_MS * BYTES_PER_MS, np.uint8)
        .tobytes()
        for word in words
    )
    timings = tuple(WordTiming(word, (n + 1) * WORD_MS) for n, word in enumerate(words))
    return Utterance(text, sound, timings)


def silence(ms: int) -> bytes:
    return b"\xff" * (ms * BYTES_PER_MS)


def account(heard: bytes, *own: tuple[int, int]) -> Account:
    """What a callee remembers who heard this and spoke itself from, until."""
    listening, memory = AgentListening(), Recollection()
    for start_ms, end_ms in own:
        memory.begin(OwnSpeech(None, "x", start_ms, end_ms, to_room=False, cut_in=True))
    for at in range(0, len(heard), FRAME_BYTES):
        frame = heard[at : at + FRAME_BYTES]
        memory.hear(frame)
        listening.listen(frame, at // BYTES_PER_MS)
    return memory.account("p", listening.stretches, script_played=True)


OPENING = spoken("Hola soy Sofía y llamo de Nubelia")
QUESTION = spoken("Hablo con Carmen")


def test_words_and_times_are_those_that_reached_the_ear() -> None:
    heard = silence(1_000) + OPENING.sound + silence(300) + QUESTION.sound + silence(1_000)
    (turn,) = heard_turns(account(heard), [OPENING, QUESTION])
    assert turn.text == "Hola soy Sofía y llamo de Nubelia Hablo con Carmen"
    assert (turn.started_ms, turn.cut_words, turn.unknown_ms) == (1_000, (), 0)


def test_what_was_cut_off_was_not_heard() -> None:
    cut = OPENING.sound[: 900 * BYTES_PER_MS]
    (turn,) = heard_turns(account(cut + silence(1_000), (700, 1_500)), [OPENING])
    assert turn.text == "Hola soy"
    assert turn.cut_words == ("Sofía", "y", "llamo", "de", "Nubelia")


def test_a_turn_that_goes_on_where_it_was_stopped_is_one_turn() -> None:
    at = 1_000 * BYTES_PER_MS
    heard = OPENING.sound[:at] + silence(900) + OPENING.sound[at - 160 :] + silence(1_000)
    (turn,) = heard_turns(account(heard, (700, 1_500)), [OPENING])
    assert (turn.text, turn.cut_words) == (OPENING.text, ())


def test_a_turn_that_begins_anew_is_one_turn_and_its_words_count_once() -> None:
    heard = OPENING.sound[: 500 * BYTES_PER_MS] + silence(900) + OPENING.sound + silence(1_000)
    (turn,) = heard_turns(account(heard, (400, 1_200)), [OPENING])
    assert (turn.text, turn.started_ms) == (OPENING.text, 0)


def test_an_answer_after_a_cut_is_a_turn_of_its_own() -> None:
    heard = OPENING.sound[: 900 * BYTES_PER_MS] + silence(900) + QUESTION.sound + silence(1_000)
    turns = heard_turns(account(heard, (700, 1_500)), [OPENING, QUESTION])
    assert [turn.text for turn in turns] == ["Hola soy", "Hablo con Carmen"]


def test_sound_that_was_not_made_for_the_call_is_unknown() -> None:
    heard = OPENING.sound + silence(1_000) + QUESTION.sound + silence(1_000)
    turns = heard_turns(account(heard, (3_000, 3_500)), [OPENING])
    assert [turn.unknown_ms for turn in turns] == [0, QUESTION.duration_ms]


def test_sound_that_was_not_made_is_unknown_to_the_frame_also_within_a_turn() -> None:
    strange = spoken("nadie").sound[: 2 * FRAME_BYTES]
    pause = silence(300)
    heard = OPENING.sound + pause + strange + pause + QUESTION.sound + silence(1_000)
    (turn,) = heard_turns(account(heard), [OPENING, QUESTION])
    assert turn.unknown_ms == 2 * FRAME_MS


def test_the_silence_in_which_an_utterance_ends_makes_up_for_no_unknown_sound() -> None:
    question = Utterance(QUESTION.text, QUESTION.sound + silence(600), QUESTION.words)
    strange = spoken("nadie").sound
    (turn,) = heard_turns(account(strange + question.sound + silence(1_000)), [question])
    assert turn.unknown_ms == WORD_MS


def test_sound_that_came_late_in_the_middle_of_an_utterance_is_known() -> None:
    at = 7 * FRAME_BYTES
    heard = OPENING.sound[:at] + silence(500) + OPENING.sound[at:] + silence(1_000)
    (turn,) = heard_turns(account(heard), [OPENING])
    assert (turn.text, turn.unknown_ms) == (OPENING.text, 0)


def test_the_faint_floor_before_a_word_belongs_to_no_turn_before_it() -> None:
    faint = np.random.default_rng(7).integers(0xF8, 0x100, 200 * BYTES_PER_MS, np.uint8).tobytes()
    lead_ms = len(faint) // BYTES_PER_MS
    timings = tuple(WordTiming(each.word, each.end_ms + lead_ms) for each in QUESTION.words)
    question = Utterance(QUESTION.text, faint + QUESTION.sound, timings)
    heard = OPENING.sound + silence(1_000) + question.sound + silence(1_000)
    turns = heard_turns(account(heard, (3_000, 3_500)), [OPENING, question])
    assert [turn.text for turn in turns] == [OPENING.text, QUESTION.text]


def test_a_word_of_which_only_the_end_was_repeated_was_not_said_again() -> None:
    rest = OPENING.sound[(2 * WORD_MS - 50) * BYTES_PER_MS :]
    heard = QUESTION.sound + silence(300) + rest + silence(1_000)
    (turn,) = heard_turns(account(heard), [OPENING, QUESTION])
    assert turn.text == "Hablo con Carmen Sofía y llamo de Nubelia"


def test_the_moment_at_which_a_part_had_been_heard() -> None:
    own = account(silence(500) + OPENING.sound)
    assert heard_at_ms(own, OPENING.sound, 800) == 1_300
    assert heard_at_ms(account(OPENING.sound[:4_000]), OPENING.sound, 800) is None
