"""Events while the opening is still to come or under way."""

from __future__ import annotations

from media_service.engine import closing_flow, sending
from media_service.engine.actions import (
    Action,
    AddItem,
    DeleteItem,
    Listen,
    Record,
    SetTimer,
    Speaker,
    StopTimer,
    TruncateItem,
)
from media_service.engine.opening import (
    CLIP_ITEM,
    HOLD,
    HOLD_LONGEST_MS,
    HOLD_MS,
    LONG,
    MAX_SCREENINGS,
    SCREEN,
    SCREEN_MS,
    WAIT,
    Stage,
)
from media_service.engine.playout import BYTES_PER_MS, Cut
from media_service.engine.reply_gate import Purpose, Request
from media_service.engine.talk import Phase, Talk
from shared.agents import machine_words
from shared.domain.agent import OpeningMode
from shared.domain.conversation import CloseCause, DutyHeard

LEAD_ITEM = "lead"
# Pause that ends the callee's first words: with it, Sofia's first sound follows within 300 ms of their end.
FIRST_SILENCE_MS = 160


def start(talk: Talk, now_ms: float) -> list[Action]:
    """The line is open."""
    if talk.plan.turn_taking.opening_mode is OpeningMode.AGENT_FIRST:
        return begin(talk, now_ms)
    return [SetTimer(WAIT, talk.plan.turn_taking.opening_wait_ms)]


def first_words_began(talk: Talk, now_ms: float) -> list[Action]:
    """The callee speaks before Sofia did, or comes to the phone while she answers a screener."""
    actions = give_way(talk, now_ms) if talk.is_sofias_turn else []
    return [
        *actions,
        StopTimer(WAIT),
        StopTimer(HOLD),
        SetTimer(LONG, now_ms + talk.plan.turn_taking.long_first_utterance_ms),
    ]


def first_words_ended(talk: Talk, length_ms: int, now_ms: float) -> list[Action]:
    """A short first utterance is a person's; a long one, or one behind a screener, must show its words first."""
    actions: list[Action] = [StopTimer(LONG)]
    if talk.opening.stage is Stage.WAITING:
        if length_ms <= talk.plan.turn_taking.long_first_utterance_ms:
            return actions + begin(talk, now_ms)
        talk.opening.stage = Stage.HELD
    return [*actions, SetTimer(HOLD, now_ms + HOLD_MS)]


def words_before(talk: Talk, text: str, now_ms: float) -> list[Action]:
    """The words that a held opening waited for, and no machine's. A screener that looks for its owner is waited for."""
    if talk.callee_speaking or talk.opening.stage is Stage.WAITING:
        return []
    if talk.opening.stage is Stage.SCREENED and (
        not text.strip() or machine_words.asks_to_wait(text)
    ):
        return [StopTimer(HOLD)]
    return begin(talk, now_ms)


def screened(talk: Talk, now_ms: float) -> list[Action]:
    """A call screener asks who calls: one honest sentence, then its owner gets the whole opening."""
    talk.opening.screenings += 1
    if talk.opening.screenings > MAX_SCREENINGS:
        return nobody_came(talk, now_ms)
    actions = give_way(talk, now_ms)
    talk.opening.stage, talk.opening.first_clause = Stage.SCREENED, 0
    talk.opening.heard.clear()
    request = Request(Purpose.SCREENER, talk.plan.guidance.screener)
    return [
        *actions,
        *(StopTimer(name) for name in (WAIT, LONG, HOLD)),
        *talk.gate.want(request, now_ms),
        SetTimer(SCREEN, now_ms + SCREEN_MS),
    ]


def nobody_came(talk: Talk, now_ms: float) -> list[Action]:
    """The screener's owner does not take the call."""
    if talk.opening.stage is not Stage.SCREENED:
        return []
    return closing_flow.end_now(talk, CloseCause.VOICEMAIL, "voicemail", now_ms)


def hold(talk: Talk, now_ms: float) -> list[Action]:
    """The first utterance goes on and on."""
    if talk.opening.stage is not Stage.WAITING:
        return []
    talk.opening.stage = Stage.HELD
    return [SetTimer(HOLD, now_ms + HOLD_LONGEST_MS)]


def wait_again(talk: Talk, now_ms: float) -> list[Action]:
    """Whether the callee still speaks is not known any more: the wait for their first words begins anew."""
    if talk.opening.has_begun:
        return []
    if talk.opening.stage is not Stage.WAITING:
        return [StopTimer(LONG), SetTimer(HOLD, now_ms + HOLD_MS)]
    return [StopTimer(LONG), SetTimer(WAIT, now_ms + talk.plan.turn_taking.opening_wait_ms)]


def begin(talk: Talk, now_ms: float) -> list[Action]:
    """Start the fixed part, and have the name question made meanwhile."""
    opening = talk.opening
    if opening.has_begun:
        return []
    if opening.stage is not Stage.WAITING:
        # Words or a verdict had to come first: waiting for them is not ours.
        talk.book.judged(now_ms)
    # What was said to a screener stands before what its owner is told.
    after = None if opening.stage is Stage.SCREENED else LEAD_ITEM
    opening.stage = Stage.SPEAKING
    talk.enter(Phase.OPENING)
    actions: list[Action] = [StopTimer(name) for name in (WAIT, LONG, HOLD, SCREEN)]
    actions += play_clip(talk, now_ms)
    actions += [Listen(talk.plan.turn_taking.silence_ms), remember(talk, after=after)]
    return actions + ask_name(talk, now_ms)


def ask_name(talk: Talk, now_ms: float) -> list[Action]:
    request = Request(Purpose.NAME_QUESTION, talk.plan.guidance.name_question)
    return talk.gate.want(request, now_ms)


def remember(talk: Talk, after: str | None) -> AddItem:
    """The present stretch of the clip, as the model is to remember it."""
    talk.opening_item = talk.new_item_id("opening")
    return AddItem(talk.opening_item, Speaker.ASSISTANT, talk.opening.text, after)


def play_clip(talk: Talk, now_ms: float) -> list[Action]:
    """Put the clip, or what is left of it, at the end of the playout."""
    opening = talk.opening
    talk.book.decided(now_ms)
    turn = talk.book.agent_turn()
    if turn.first_model_sound_ms is None:
        turn.first_model_sound_ms = int(now_ms)
    sound = opening.sound()
    words = turn.item(CLIP_ITEM)
    words.text = opening.text
    words.produced_ms = len(sound) // BYTES_PER_MS
    talk.playout.add(CLIP_ITEM, sound)
    talk.playout.complete(CLIP_ITEM)
    return sending.pump(talk, now_ms)


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
    talk.book.judged(now_ms)
    talk.book.begin_anew(now_ms)
    return sending.resume(talk, now_ms)


def give_way(talk: Talk, now_ms: float) -> list[Action]:
    """Drop what is unheard and make the model's memory equal to what was heard."""
    actions = talk.playout.pause(now_ms) + talk.gate.cancel()
    talk.tools.announced.clear()
    return actions + drop_unheard(talk, now_ms)


def drop_unheard(talk: Talk, now_ms: float) -> list[Action]:
    """The callee broke in for good: what is unheard is thrown away, Sofia's turn ends there, and the model is told
    exactly what was heard. Only after `pause`."""
    cuts = talk.playout.drop()
    closing_flow.note_cuts(talk, cuts)
    actions: list[Action] = []
    for cut in cuts:
        if cut.item_id == CLIP_ITEM:
            actions += _cut_clip(talk, cut, now_ms)
        elif cut.heard_ms <= 0:
            actions.append(DeleteItem(cut.item_id))
        elif cut.heard_ms < cut.produced_ms:
            actions.append(TruncateItem(cut.item_id, cut.heard_ms))
    return actions + talk.book.agent_ended(now_ms, interrupted=True)


def _cut_clip(talk: Talk, cut: Cut, now_ms: float) -> list[Action]:
    opening = talk.opening
    actions = progressed(talk, cut.heard_ms, now_ms)
    if opening.stage is not Stage.DONE:
        opening.stage = Stage.CUT
    if talk.opening_item is None:
        return actions
    actions.append(DeleteItem(talk.opening_item))
    talk.opening_item = None
    words = opening.words_heard(cut.heard_ms)
    if words:
        talk.opening_item = talk.new_item_id("opening")
        # A later stretch follows what was said before it; the first one stands before the callee's words.
        after = None if opening.first_clause else LEAD_ITEM
        actions.append(AddItem(talk.opening_item, Speaker.ASSISTANT, words, after))
    return actions


def go_on_after_answer(talk: Talk, now_ms: float) -> list[Action]:
    """Sofia has answered what broke in; what is missing of the duties follows from its clause on."""
    first = talk.opening.rest_from()
    if talk.opening.stage is not Stage.CUT or first is None or talk.opted_out:
        return []
    talk.opening.first_clause = first
    talk.opening.stage = Stage.SPEAKING
    return [*play_clip(talk, now_ms), remember(talk, after=None)]
