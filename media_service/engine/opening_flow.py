"""Events while the opening is still to come or under way."""

from __future__ import annotations

from media_service.engine.actions import (
    Action,
    AddItem,
    DeleteItem,
    Listen,
    Record,
    SendSound,
    SetTimer,
    Speaker,
    StopTimer,
)
from media_service.engine.opening import CLIP_ITEM, HOLD, HOLD_MS, LONG, WAIT, Stage
from media_service.engine.playout import Cut
from media_service.engine.reply_gate import Purpose, Request
from media_service.engine.talk import Phase, Talk
from shared.domain.agent import OpeningMode
from shared.domain.conversation import DutyHeard
from shared.domain.journal import Moments

LEAD_ITEM = "lead"
# Pause that ends the callee's first words: with it, Sofia's first sound follows within 300 ms of their end.
FIRST_SILENCE_MS = 200


def start(talk: Talk, now_ms: float) -> list[Action]:
    """The line is open."""
    if talk.plan.turn_taking.opening_mode is OpeningMode.AGENT_FIRST:
        return begin(talk, now_ms)
    return [SetTimer(WAIT, talk.plan.turn_taking.opening_wait_ms)]


def first_words_began(talk: Talk, now_ms: float) -> list[Action]:
    """The callee speaks before Sofia did."""
    return [
        StopTimer(WAIT),
        StopTimer(HOLD),
        SetTimer(LONG, now_ms + talk.plan.turn_taking.long_first_utterance_ms),
    ]


def first_words_ended(talk: Talk, length_ms: int, now_ms: float) -> list[Action]:
    """A short first utterance is a person's; a long one must show its words first."""
    actions: list[Action] = [StopTimer(LONG)]
    if talk.opening.stage is Stage.WAITING and (
        length_ms <= talk.plan.turn_taking.long_first_utterance_ms
    ):
        return actions + begin(talk, now_ms)
    talk.opening.stage = Stage.HELD
    return [*actions, SetTimer(HOLD, now_ms + HOLD_MS)]


def hold(talk: Talk, _now_ms: float) -> list[Action]:
    """The first utterance goes on and on."""
    if talk.opening.stage is Stage.WAITING:
        talk.opening.stage = Stage.HELD
    return []


def begin(talk: Talk, now_ms: float) -> list[Action]:
    """Start the fixed part, and have the name question made meanwhile."""
    opening = talk.opening
    if opening.stage not in (Stage.WAITING, Stage.HELD):
        return []
    if opening.stage is Stage.HELD:
        # Words or a verdict had to come first: waiting for them is not ours.
        talk.book.judged(now_ms)
    opening.stage = Stage.SPEAKING
    talk.enter(Phase.OPENING)
    actions: list[Action] = [StopTimer(WAIT), StopTimer(LONG), StopTimer(HOLD)]
    actions += play_clip(talk, now_ms)
    talk.opening_item = talk.new_item_id("opening")
    actions += [
        Listen(talk.plan.turn_taking.silence_ms),
        AddItem(talk.opening_item, Speaker.ASSISTANT, opening.clip.text, LEAD_ITEM),
    ]
    request = Request(Purpose.NAME_QUESTION, talk.plan.guidance.name_question)
    return actions + talk.gate.want(request, now_ms)


def play_clip(talk: Talk, now_ms: float) -> list[Action]:
    """Put the clip, or what is left of it, at the end of the playout."""
    opening = talk.opening
    talk.book.decided(now_ms)
    turn = talk.book.agent_turn()
    if turn.first_model_sound_ms is None:
        turn.first_model_sound_ms = int(now_ms)
    sound = opening.sound()
    words = turn.item(CLIP_ITEM)
    words.text = " ".join(c.text for c in opening.clip.clauses[opening.first_clause :])
    words.produced_ms = len(sound) // 8
    talk.playout.add(CLIP_ITEM, sound)
    talk.playout.complete(CLIP_ITEM)
    actions = talk.playout.pump(now_ms)
    return actions + sound_sent(talk, actions, now_ms)


def sound_sent(talk: Talk, sent: list[Action], now_ms: float) -> list[Action]:
    """Book-keeping for sound that goes out with `sent`."""
    if not any(isinstance(action, SendSound) for action in sent):
        return []
    talk.book.sound_sent(now_ms)
    if talk.first_sound_ms is not None:
        return []
    talk.first_sound_ms = int(now_ms)
    return [Record(Moments(talk.first_sound_ms, talk.first_callee_end_ms))]


def progressed(talk: Talk, heard_ms: int, now_ms: float) -> list[Action]:
    """More of the clip was heard."""
    actions: list[Action] = [
        Record(DutyHeard(duty, talk.opening.heard[duty]))
        for duty in talk.opening.progressed(heard_ms, now_ms)
    ]
    if not talk.opening.missing:
        talk.opening.stage = Stage.DONE
    return actions


def restart(talk: Talk, now_ms: float) -> list[Action]:
    """Hardly begun when the callee's greeting went on: from the beginning, once they have finished."""
    talk.playout.rewind(CLIP_ITEM)
    actions = talk.playout.resume(now_ms)
    return actions + sound_sent(talk, actions, now_ms)


def cut(talk: Talk, cuts: list[Cut], now_ms: float) -> list[Action]:
    """The callee broke in for good. The model is told exactly the words that were heard."""
    stopped = next((c for c in cuts if c.item_id == CLIP_ITEM), None)
    if stopped is None:
        return []
    opening = talk.opening
    actions = progressed(talk, stopped.heard_ms, now_ms)
    words = opening.words_heard(stopped.heard_ms)
    if talk.book.agent is not None:
        talk.book.agent.item(CLIP_ITEM).heard_text = words
    if opening.stage is not Stage.DONE:
        opening.stage = Stage.CUT
    if talk.opening_item is not None:
        actions.append(DeleteItem(talk.opening_item))
        talk.opening_item = None
        if words:
            talk.opening_item = talk.new_item_id("opening")
            actions.append(AddItem(talk.opening_item, Speaker.ASSISTANT, words, LEAD_ITEM))
    return actions


def go_on_after_answer(talk: Talk, now_ms: float) -> list[Action]:
    """Sofia has answered what broke in; what is missing of the duties follows from its clause on."""
    first = talk.opening.rest_from()
    if talk.opening.stage is not Stage.CUT or first is None or talk.opted_out:
        return []
    talk.opening.first_clause = first
    talk.opening.stage = Stage.SPEAKING
    text = " ".join(clause.text for clause in talk.opening.clip.clauses[first:])
    actions = play_clip(talk, now_ms)
    talk.opening_item = talk.new_item_id("opening")
    actions.append(AddItem(talk.opening_item, Speaker.ASSISTANT, text))
    return actions
