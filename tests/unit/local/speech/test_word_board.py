"""Words found again by their sound, however the sound was cut on its way."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from local.speech.ears import TextEars
from local.speech.ports import FRAME_BYTES, Utterance
from local.speech.word_board import WordBoard

Say = Callable[[str], Utterance]
SILENCE = b"\xff" * FRAME_BYTES
WORD_BYTES = 240 * 8


@pytest.fixture
def board() -> WordBoard:
    return WordBoard()


def posted(board: WordBoard, utterance: Utterance) -> bytes:
    board.post(utterance)
    return utterance.sound


def test_whole_utterances_are_heard_in_the_order_of_the_sound(board: WordBoard, say: Say) -> None:
    hello, name = posted(board, say("hola buenos días")), posted(board, say("soy Carmen"))
    assert board.words_in(name + SILENCE * 9 + hello) == "soy Carmen hola buenos días"


def test_the_same_words_twice_are_heard_twice(board: WordBoard, say: Say) -> None:
    yes = posted(board, say("sí claro"))
    assert board.words_in(yes + SILENCE * 30 + yes) == "sí claro sí claro"


def test_unknown_sound_and_silence_have_no_words(board: WordBoard, say: Say) -> None:
    posted(board, say("hola"))
    assert board.words_in(say("adiós").sound + SILENCE * 10) == ""
    assert board.words_in(b"") == ""


def test_a_word_cut_short_is_not_heard(board: WordBoard, say: Say) -> None:
    sound = posted(board, say("uno dos tres"))
    assert board.words_in(sound[: 2 * WORD_BYTES]) == "uno dos"
    assert board.words_in(sound[: 2 * WORD_BYTES - 640]) == "uno"


def test_what_follows_a_cut_has_only_the_words_that_end_there(board: WordBoard, say: Say) -> None:
    sound = posted(board, say("uno dos tres"))
    assert board.words_in(sound[WORD_BYTES + 800 :]) == "dos tres"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=400)
@given(
    lead=st.integers(0, 500), cut=st.integers(200, 5 * WORD_BYTES - 200), gap=st.integers(0, 4_000)
)
@example(lead=0, cut=9_235, gap=130)
@example(lead=0, cut=9_249, gap=657)
def test_cut_anywhere_and_resumed_no_word_is_lost_or_doubled(
    say: Say, lead: int, cut: int, gap: int
) -> None:
    board = WordBoard()
    sound = posted(board, say("le llamo de parte ahora"))
    heard = b"\xff" * lead + sound[:cut] + b"\xff" * gap + sound[cut:]
    assert board.words_in(heard) == "le llamo de parte ahora"


def test_utterances_that_begin_alike_are_told_apart(board: WordBoard, say: Say) -> None:
    first = posted(board, say("muy bien hasta luego"))
    second = posted(board, say("muy bien hasta mañana"))
    assert board.words_in(first) == "muy bien hasta luego"
    assert board.words_in(second) == "muy bien hasta mañana"


def test_activity_is_speech_where_the_board_knows_it(board: WordBoard, say: Say) -> None:
    sound, noise = posted(board, say("hola Carmen")), say("secador").sound
    activity = TextEars(board).activity()
    frames = [sound[at : at + 160] for at in range(0, len(sound), 160)]
    assert [activity.is_speech(SILENCE), activity.is_speech(noise[:160])] == [False, False]
    assert all(activity.is_speech(frame) for frame in frames)
    assert not activity.is_speech(SILENCE)


def test_activity_comes_back_after_a_cut(board: WordBoard, say: Say) -> None:
    sound = posted(board, say("hola Carmen"))
    activity = TextEars(board).activity()
    assert activity.is_speech(sound[0:160])
    assert not activity.is_speech(SILENCE)
    assert activity.is_speech(sound[171:331])


def test_the_oldest_is_forgotten_when_the_board_is_full(say: Say) -> None:
    first, second = say("primero"), say("segundo")
    board = WordBoard(sound_bytes_max=len(first.sound) + len(second.sound))
    for utterance in (first, second, first, say("tercero")):
        board.post(utterance)
    assert board.words_in(first.sound) == "primero"
    assert board.words_in(second.sound) == ""


async def test_text_ears_say_what_they_are(board: WordBoard, say: Say) -> None:
    ears = TextEars(board)
    assert ears.kind == "text"
    assert await ears.transcribe(posted(board, say("hola"))) == "hola"
