"""The model's session begins, or begins again: what it must know, and what was left open."""

from __future__ import annotations

from media_service.engine import reply_flow
from media_service.engine.actions import Action, AddItem, OpenModel, Speaker
from media_service.engine.events import ModelLost, ModelReady
from media_service.engine.opening import Stage
from media_service.engine.opening_flow import LEAD_ITEM
from media_service.engine.talk import Phase, Talk
from shared.domain.conversation import Turn, Who

# A long history of assistant text makes the model answer in writing (reported for 2.1), so only the last turns are
# replayed word for word.
REPLAYED_TURNS = 8


def model_ready(talk: Talk, event: ModelReady, now_ms: float) -> list[Action]:
    """A session is ready: the lead's facts first, then, after a loss, the conversation so far."""
    talk.sessions += 1
    talk.audio_base_ms = event.base_ms
    lead = AddItem(LEAD_ITEM, Speaker.SYSTEM, talk.plan.lead_facts)
    if talk.sessions == 1 and talk.plan.history is None:
        # What the machine ordered before the session was there waits in the shell, behind this item.
        return [lead]
    actions: list[Action] = [lead]
    actions += [_item(talk, turn) for turn in talk.turns[-REPLAYED_TURNS:] if turn.heard]
    actions.append(AddItem(talk.new_item_id("resume"), Speaker.SYSTEM, talk.plan.guidance.recovery))
    if talk.callee_speaking or talk.phase in (Phase.CLOSING, Phase.OVER):
        return actions
    last = talk.turns[-1] if talk.turns else None
    if talk.playout.is_idle and (last is None or last.who is Who.CALLEE or last.interrupted):
        actions += reply_flow.answer(talk, now_ms)
    return actions


def model_lost(talk: Talk, _event: ModelLost, now_ms: float) -> list[Action]:
    """The socket is gone. What Sofia was given to say is still said; the rest is asked for again."""
    if talk.phase in (Phase.CLOSING, Phase.OVER):
        return []
    talk.gate.reset()
    talk.tools.announced.clear()
    talk.tools.running.clear()
    talk.callee_speaking = False
    actions: list[Action] = []
    if talk.interruption is not None:
        # Its transcript will never come, so it counts as meant.
        talk.interruption = None
        actions += talk.playout.pause(now_ms)
        talk.playout.drop()
        actions += reply_flow.end_turn(talk, now_ms, interrupted=True)
    for item_id in talk.playout.open_items():
        talk.playout.complete(item_id)
    if talk.opening.stage is Stage.SPEAKING:
        talk.opening_item = None
    return [*actions, OpenModel()]


def _item(talk: Talk, turn: Turn) -> AddItem:
    speaker = Speaker.ASSISTANT if turn.who is Who.AGENT else Speaker.USER
    return AddItem(talk.new_item_id("turn"), speaker, turn.heard or "")
