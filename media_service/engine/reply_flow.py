"""Events of Sofia's side: replies asked for, made, spoken and heard; tools among them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from media_service.engine import closing_flow, opening_flow, sending, silence_flow
from media_service.engine.actions import (
    Action,
    AddItem,
    AnswerTool,
    OpenModel,
    Record,
    RunTool,
    SetTimer,
    Speaker,
    StopTimer,
)
from media_service.engine.events import (
    ModelRefused,
    ReplyEnded,
    ReplyStarted,
    ReplyStatus,
    SoundMade,
    ToolCalled,
    ToolFinished,
    WordsMade,
)
from media_service.engine.opening import CLIP_ITEM, Stage
from media_service.engine.playout import BYTES_PER_MS
from media_service.engine.reply_gate import RETRY, Purpose, Request
from media_service.engine.talk import Phase, Talk, ToolCall
from shared.domain.conversation import CloseCause, ToolStatus, ToolUse

END_CALL = "end_call"
WAIT_FOR_USER = "wait_for_user"
OPT_OUT = "register_opt_out"
# Nothing helps where the account is the reason.
FATAL = frozenset(
    {
        "insufficient_quota",
        "billing_hard_limit_reached",
        "invalid_api_key",
        "account_deactivated",
        "model_not_found",
        "invalid_model",
        "beta_api_shape_disabled",
    }
)
# Fresh sessions without one complete reply between them.
MAX_RECOVERIES = 3
# A retry that falls into somebody's words waits a little longer.
RETRY_AGAIN_MS = 200
# Their results are promises that must be spoken; the others' need no words of their own.
_SPOKEN_RESULTS = frozenset(
    {
        "schedule_callback",
        "cancel_callback",
        "send_information",
        "report_privacy_request",
        "transfer_to_human",
        OPT_OUT,
    }
)
_SILENT = frozenset({END_CALL, WAIT_FOR_USER})
_NOT_RUN: Mapping[str, object] = MappingProxyType(
    {"ok": False, "error": "no se ha hecho: la persona ha seguido hablando; decide de nuevo"}
)


def answer(talk: Talk, now_ms: float) -> list[Action]:
    """Ask for Sofia's reply to what the callee said."""
    if talk.phase in (Phase.CLOSING, Phase.OVER):
        return []
    talk.nudges, talk.patient = 0, False
    # The model has the results before it: whatever they ask for is said with the answer.
    talk.tools.reply_owed = False
    talk.book.decided(now_ms)
    talk.enter(Phase.THINKING)
    return talk.gate.want(Request(Purpose.ANSWER), now_ms)


def started(talk: Talk, event: ReplyStarted, now_ms: float) -> list[Action]:
    return talk.gate.started(event.response_id, event.tag, now_ms)


def sound(talk: Talk, event: SoundMade, now_ms: float) -> list[Action]:
    """Sound of the present reply goes out at once; that of a cancelled one is dropped."""
    if not talk.gate.is_current(event.response_id):
        return []
    turn = talk.book.agent_turn()
    if turn.first_model_sound_ms is None:
        turn.first_model_sound_ms = int(now_ms)
    items = talk.reply_items.setdefault(event.response_id, [])
    if event.item_id not in items:
        items.append(event.item_id)
    turn.item(event.item_id).produced_ms += len(event.sound) // BYTES_PER_MS
    talk.playout.add(event.item_id, event.sound)
    return sending.pump(talk, now_ms)


def words(talk: Talk, event: WordsMade, now_ms: float) -> list[Action]:
    if not talk.gate.is_current(event.response_id):
        return []
    talk.book.agent_turn().item(event.item_id).text += event.text
    return talk.gate.progressed(now_ms)


def tool_called(talk: Talk, event: ToolCalled, _now_ms: float) -> list[Action]:
    """Noted; it runs once its reply is complete, because a cancelled reply's arguments may be broken."""
    if talk.gate.is_current(event.response_id):
        calls = talk.tools.announced.setdefault(event.response_id, [])
        calls.append(ToolCall(event.call_id, event.name, event.arguments))
    return []


def ended(talk: Talk, event: ReplyEnded, now_ms: float) -> list[Action]:
    """A reply is complete: its sound may still be unheard for seconds."""
    actions: list[Action] = [Record(event.usage)] if event.usage else []
    calls = talk.tools.announced.pop(event.response_id, [])
    items = talk.reply_items.pop(event.response_id, [])
    request, released = talk.gate.ended(event.response_id, now_ms)
    if request is None:
        return actions + released
    for item_id in items:
        talk.playout.complete(item_id)
    actions += sending.pump(talk, now_ms)
    if event.status is ReplyStatus.COMPLETED:
        talk.recoveries = 0
        if request.purpose is Purpose.NAME_QUESTION:
            talk.opening.name_asked = True
        actions += _run_or_hold(talk, calls, had_words=bool(items))
    elif event.code in FATAL:
        return actions + closing_flow.end_now(talk, CloseCause.MODEL_LOST, None, now_ms)
    elif event.status is ReplyStatus.FAILED or not items:
        actions += _failed(talk, request, now_ms)
    if items and request.purpose is not Purpose.NAME_QUESTION:
        actions += opening_flow.go_on_after_answer(talk, now_ms)
    actions += released
    return actions + maybe_end_turn(talk, now_ms)


def _run_or_hold(talk: Talk, calls: list[ToolCall], had_words: bool) -> list[Action]:
    """Run what a complete reply asked for. While it is open whether the callee means to say something else, only an
    objection is put on record at once."""
    talk.tools.reply_owed = False
    actions: list[Action] = []
    for call in calls:
        if call.name in _SPOKEN_RESULTS or (call.name not in _SILENT and not had_words):
            talk.tools.reply_owed = True
        if talk.interruption is not None and call.name != OPT_OUT:
            talk.tools.held.append(call)
        else:
            actions += _run(talk, call)
    return actions


def _run(talk: Talk, call: ToolCall) -> list[Action]:
    talk.tools.running[call.call_id] = call.name
    talk.tools.opt_out_asked = talk.tools.opt_out_asked or call.name == OPT_OUT
    return [RunTool(call.call_id, call.name, call.arguments)]


def run_held_tools(talk: Talk) -> list[Action]:
    """The callee did not mean to interrupt."""
    held, talk.tools.held = talk.tools.held, []
    return [action for call in held for action in _run(talk, call)]


def drop_tools(talk: Talk) -> list[Action]:
    """The callee said something else first: the model decides anew, also about an end that was just ordered."""
    dropped = [call.call_id for call in talk.tools.held]
    talk.tools.held.clear()
    for call_id in [one for one, name in talk.tools.running.items() if name == END_CALL]:
        del talk.tools.running[call_id]
        dropped.append(call_id)
    return [AnswerTool(call_id, _NOT_RUN) for call_id in dropped]


def _failed(talk: Talk, request: Request, now_ms: float) -> list[Action]:
    """A reply that failed is tried again after a moment; if that does not help, a fresh session may."""
    again, actions = talk.gate.retry(request, now_ms)
    return actions if again else fresh_session(talk, now_ms)


def fresh_session(talk: Talk, now_ms: float) -> list[Action]:
    """This session answers no more. One that answers nothing again and again ends the call."""
    talk.recoveries += 1
    talk.gate.reset()
    talk.tools.forget()
    if talk.recoveries > MAX_RECOVERIES:
        return closing_flow.end_now(talk, CloseCause.MODEL_LOST, None, now_ms)
    return [OpenModel()]


def tool_finished(talk: Talk, event: ToolFinished, now_ms: float) -> list[Action]:
    """A tool's result is kept, given to the model, and spoken about where it asks for words."""
    if event.call_id in talk.tools.matched:
        return _opt_out_matched(talk, event, now_ms)
    name = talk.tools.running.pop(event.call_id, "")
    if not name:
        return []
    done = event.status is ToolStatus.DONE
    actions: list[Action] = []
    use = _use_of(talk, event, name, now_ms)
    if name != END_CALL or not done:
        actions.append(Record(use))
    if event.follow_up is not None:
        actions.append(Record(event.follow_up))
    actions.append(AnswerTool(event.call_id, event.result))
    if not done:
        talk.tools.reply_owed = True
    elif name == OPT_OUT:
        talk.opted_out = True
    elif name == END_CALL:
        turn = talk.book.agent
        if turn is None or turn.first_model_sound_ms is None:
            talk.tools.reply_owed = True  # a goodbye
        actions += closing_flow.arm(talk, CloseCause.GOODBYE, use, now_ms)
    elif name == WAIT_FOR_USER:
        talk.patient = True
    return actions + speak_of_results(talk, now_ms)


def speak_of_results(talk: Talk, now_ms: float) -> list[Action]:
    """Words for what the tools gave, the goodbye of a call that is to end among them: one reply for all, once nothing
    runs any more and it is known whether the callee means to say something."""
    if talk.tools.running or talk.callee_speaking or talk.interruption is not None:
        return []
    owed, talk.tools.reply_owed = talk.tools.reply_owed, False
    if owed and talk.closing.is_armed:
        return closing_flow.goodbye(talk, now_ms)
    if owed:
        return talk.gate.want(Request(Purpose.TOOL_RESULT), now_ms)
    return maybe_end_turn(talk, now_ms)


def _use_of(talk: Talk, event: ToolFinished, name: str, now_ms: float) -> ToolUse:
    return ToolUse(
        call_id=event.call_id,
        name=name,
        arguments=event.arguments,
        status=event.status,
        result=event.result,
        at_ms=int(now_ms),
        turn=talk.book.agent_number,
    )


def _opt_out_matched(talk: Talk, event: ToolFinished, now_ms: float) -> list[Action]:
    """Our own matcher's suppression is on record; the model is told, unless it noticed the objection itself."""
    talk.tools.matched.discard(event.call_id)
    recorded: list[Action] = [Record(_use_of(talk, event, OPT_OUT, now_ms))]
    if event.status is not ToolStatus.DONE:
        # Nobody is told that it is on record; the same words again are another try.
        talk.opted_out = False
        return recorded
    if event.follow_up is not None:
        recorded.append(Record(event.follow_up))
    if talk.tools.opt_out_asked:
        return recorded
    reference = str(event.result.get("reference", ""))
    text = talk.plan.guidance.opt_out_heard.format(reference=reference)
    return [*recorded, AddItem(talk.new_item_id("optout"), Speaker.SYSTEM, text)]


def mark_returned(talk: Talk, name: str, now_ms: float) -> list[Action]:
    """The callee has heard up to this mark."""
    item_id = talk.playout.returned(name, now_ms)
    if item_id is None:
        return []
    turn = talk.book.agent
    if turn is not None and turn.first_mark_back_ms is None:
        turn.first_mark_back_ms = int(now_ms)
    clip_heard = item_id == CLIP_ITEM
    return _heard_more(talk, now_ms) if clip_heard else _go_on_sending(talk, now_ms)


def _heard_more(talk: Talk, now_ms: float) -> list[Action]:
    """More of the opening's clip was heard."""
    actions: list[Action] = []
    if talk.opening.stage is Stage.SPEAKING:
        heard_ms = talk.playout.heard_ms(CLIP_ITEM, now_ms)
        if not talk.playout.holds(CLIP_ITEM):
            heard_ms = len(talk.opening.sound()) // BYTES_PER_MS
        actions += opening_flow.progressed(talk, heard_ms, now_ms)
    return actions + _go_on_sending(talk, now_ms)


def _go_on_sending(talk: Talk, now_ms: float) -> list[Action]:
    return sending.pump(talk, now_ms) + maybe_end_turn(talk, now_ms)


def marks_overdue(talk: Talk, now_ms: float) -> list[Action]:
    """The carrier owes marks: what was sent was heard by now."""
    if talk.playout.is_idle or talk.playout.paused:
        return []
    talk.playout.assume_heard(now_ms)
    return _heard_more(talk, now_ms)


def maybe_end_turn(talk: Talk, now_ms: float) -> list[Action]:
    """Sofia's turn is over once all of it was heard and nothing more is coming."""
    if talk.is_sofias_turn or talk.gate.has_queued or talk.interruption is not None:
        return []
    if talk.phase in (Phase.CLOSING, Phase.OVER):
        return []
    actions: list[Action] = [
        StopTimer(sending.MARKS),
        *talk.book.agent_ended(now_ms, interrupted=False),
    ]
    if talk.closing.is_armed:
        return actions + closing_flow.hang_up_soon(talk, now_ms)
    talk.enter(Phase.LISTENING)
    if talk.callee_speaking or not talk.opening.has_begun:
        return actions
    return actions + silence_flow.begin(talk, now_ms)


def stuck(talk: Talk, now_ms: float) -> list[Action]:
    """The reply's watchdog fired."""
    hopeless, actions = talk.gate.stuck(now_ms)
    return actions + fresh_session(talk, now_ms) if hopeless else actions


def refused(talk: Talk, event: ModelRefused, now_ms: float) -> list[Action]:
    """The model did not take one of our requests."""
    hopeless, actions = talk.gate.refused(event.request_id, now_ms)
    return actions + fresh_session(talk, now_ms) if hopeless else actions


def release(talk: Talk, now_ms: float) -> list[Action]:
    """The pause before a retry is over."""
    if talk.callee_speaking or talk.interruption is not None:
        return [SetTimer(RETRY, now_ms + RETRY_AGAIN_MS)]
    return talk.gate.release(now_ms)
