"""The model's session begins, or begins again: what it must know, and what was left open."""

from __future__ import annotations

from media_service.engine import closing_flow, opening_flow, reply_flow
from media_service.engine.actions import Action, AddItem, Listen, OpenModel, Speaker
from media_service.engine.events import ModelLost, ModelReady
from media_service.engine.opening import Stage
from media_service.engine.opening_flow import LEAD_ITEM
from media_service.engine.talk import Phase, Talk
from shared.domain.conversation import CloseCause, Turn, Who

# A long history of assistant text makes the model answer in writing (reported for 2.1), so only the last turns are
# replayed word for word.
REPLAYED_TURNS = 8


def model_ready(talk: Talk, event: ModelReady, now_ms: float) -> list[Action]:
    """A session is ready: the lead's facts; after a loss also the conversation so far and what was left open."""
    talk.sessions += 1
    talk.audio_base_ms = event.base_ms
    lead = AddItem(LEAD_ITEM, Speaker.SYSTEM, talk.plan.lead_facts)
    if not talk.opening.has_begun:
        # The session opens with the short pause of the callee's first words.
        return [lead]
    listen = Listen(talk.plan.turn_taking.silence_ms)
    if talk.sessions == 1 and talk.plan.history is None:
        # What the machine ordered before the session was there waits in the shell, behind this item.
        return [lead, listen]
    actions: list[Action] = [lead, listen]
    actions += [_item(talk, turn) for turn in talk.turns[-REPLAYED_TURNS:] if turn.heard]
    if talk.opening.stage is Stage.SPEAKING:
        actions.append(opening_flow.remember(talk, after=None))
    actions.append(AddItem(talk.new_item_id("resume"), Speaker.SYSTEM, talk.plan.guidance.recovery))
    return actions + _go_on(talk, now_ms)


def _go_on(talk: Talk, now_ms: float) -> list[Action]:
    """Ask for what was left open; what is still being said goes on, and a silence is noticed."""
    if talk.callee_speaking or talk.phase in (Phase.CLOSING, Phase.OVER):
        return []
    if talk.opening.stage is Stage.SPEAKING and not talk.opening.name_asked:
        return opening_flow.ask_name(talk, now_ms)
    last = talk.turns[-1] if talk.turns else None
    is_open = last is None or last.interrupted or (last.who is Who.CALLEE and not talk.cut_off)
    if talk.playout.is_idle and is_open:
        return reply_flow.answer(talk, now_ms)
    return reply_flow.maybe_end_turn(talk, now_ms)


def model_lost(talk: Talk, event: ModelLost, now_ms: float) -> list[Action]:
    """The socket is gone. What Sofia was given to say is still said; the rest is asked for again."""
    if talk.phase in (Phase.CLOSING, Phase.OVER):
        return []
    if event.code in reply_flow.FATAL:
        return unavailable(talk, now_ms)
    talk.gate.reset()
    talk.tools.forget()
    # What they go on to say is heard by the next session; what it was about is not.
    talk.cut_off = talk.callee_speaking
    talk.callee_speaking = False
    actions = talk.book.callee_lost(now_ms) + opening_flow.wait_again(talk, now_ms)
    if talk.interruption is not None:
        # Its transcript will never come, so it counts as meant.
        talk.interruption = None
        actions += talk.playout.pause(now_ms) + opening_flow.drop_unheard(talk, now_ms)
    for item_id in talk.playout.open_items():
        talk.playout.complete(item_id)
    return [*actions, OpenModel()]


def unavailable(talk: Talk, now_ms: float) -> list[Action]:
    """No session can be had any more: nobody would answer."""
    return closing_flow.end_now(talk, CloseCause.MODEL_LOST, None, now_ms)


def _item(talk: Talk, turn: Turn) -> AddItem:
    speaker = Speaker.ASSISTANT if turn.who is Who.AGENT else Speaker.USER
    return AddItem(talk.new_item_id("turn"), speaker, turn.heard or "")
