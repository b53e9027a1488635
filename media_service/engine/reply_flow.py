"""Events of Sofia's side: replies asked for, made, spoken and heard; tools among them."""

from __future__ import annotations

from media_service.engine import closing_flow, opening_flow, silence_flow
from media_service.engine.actions import (
    Action,
    AddItem,
    AnswerTool,
    OpenModel,
    Record,
    RunTool,
    SetTimer,
    Speaker,
)
from media_service.engine.events import (
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
from media_service.engine.reply_gate import Purpose, Request
from media_service.engine.talk import Phase, Talk
from shared.domain.conversation import CloseCause, ToolStatus, ToolUse

END_CALL = "end_call"
WAIT_FOR_USER = "wait_for_user"
OPT_OUT = "register_opt_out"
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


def answer(talk: Talk, now_ms: float) -> list[Action]:
    """Ask for Sofia's reply to what the callee said."""
    if talk.phase in (Phase.CLOSING, Phase.OVER):
        return []
    talk.nudges, talk.patient = 0, False
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
    sent = talk.playout.pump(now_ms)
    if sent and talk.phase in (Phase.THINKING, Phase.LISTENING):
        talk.enter(Phase.SPEAKING)
    return sent + opening_flow.sound_sent(talk, sent, now_ms)


def words(talk: Talk, event: WordsMade, now_ms: float) -> list[Action]:
    if not talk.gate.is_current(event.response_id):
        return []
    talk.book.agent_turn().item(event.item_id).text += event.text
    return talk.gate.progressed(now_ms)


def tool_called(talk: Talk, event: ToolCalled, _now_ms: float) -> list[Action]:
    """Noted; it runs once its reply is complete, because a cancelled reply's arguments may be broken."""
    if talk.gate.is_current(event.response_id):
        calls = talk.tools.announced.setdefault(event.response_id, [])
        calls.append((event.call_id, event.name, event.arguments))
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
    sent = talk.playout.pump(now_ms)
    actions += sent + opening_flow.sound_sent(talk, sent, now_ms)
    if event.status is ReplyStatus.COMPLETED:
        actions += _run(talk, calls, had_words=bool(items))
    elif event.status is ReplyStatus.FAILED or not (items or calls):
        actions += _failed(talk, request, now_ms)
    if items and request.purpose is not Purpose.NAME_QUESTION:
        actions += opening_flow.go_on_after_answer(talk, now_ms)
    actions += released
    return actions + maybe_end_turn(talk, now_ms)


def _run(talk: Talk, calls: list[tuple[str, str, str]], had_words: bool) -> list[Action]:
    talk.tools.reply_owed = False
    actions: list[Action] = []
    for call_id, name, arguments in calls:
        talk.tools.running[call_id] = name
        talk.tools.opt_out_asked = talk.tools.opt_out_asked or name == OPT_OUT
        if name in _SPOKEN_RESULTS or (name not in _SILENT and not had_words):
            talk.tools.reply_owed = True
        actions.append(RunTool(call_id, name, arguments))
    return actions


def _failed(talk: Talk, request: Request, now_ms: float) -> list[Action]:
    """A reply that failed is tried again after a moment; if that does not help, a fresh session may."""
    again, actions = talk.gate.retry(request, now_ms)
    if again:
        return actions
    talk.gate.reset()
    return [OpenModel()]


def tool_finished(talk: Talk, event: ToolFinished, now_ms: float) -> list[Action]:
    """A tool's result is kept, given to the model, and spoken about where it asks for words."""
    if event.call_id in talk.tools.matched:
        return _opt_out_matched(talk, event, now_ms)
    name = talk.tools.running.pop(event.call_id, "")
    if not name:
        return []
    actions: list[Action] = []
    use = ToolUse(
        call_id=event.call_id,
        name=name,
        arguments=event.arguments,
        status=event.status,
        result=event.result,
        at_ms=int(now_ms),
        turn=talk.book.agent_number,
    )
    if name != END_CALL or event.status is not ToolStatus.DONE:
        actions.append(Record(use))
    if event.follow_up is not None:
        actions.append(Record(event.follow_up))
    actions.append(AnswerTool(event.call_id, event.result))
    if event.status is not ToolStatus.DONE:
        talk.tools.reply_owed = True
    elif name == OPT_OUT:
        talk.opted_out = True
    elif name == END_CALL:
        actions += closing_flow.arm(talk, CloseCause.GOODBYE, use, now_ms)
    elif name == WAIT_FOR_USER:
        talk.patient = True
    if talk.tools.running:
        return actions
    if talk.tools.reply_owed and not talk.callee_speaking and talk.interruption is None:
        talk.tools.reply_owed = False
        return actions + talk.gate.want(Request(Purpose.TOOL_RESULT), now_ms)
    return actions + maybe_end_turn(talk, now_ms)


def _opt_out_matched(talk: Talk, event: ToolFinished, now_ms: float) -> list[Action]:
    """Our own matcher's suppression is on record; the model is told, unless it noticed the objection itself."""
    talk.tools.matched.discard(event.call_id)
    use = ToolUse(
        call_id=event.call_id,
        name=OPT_OUT,
        arguments=event.arguments,
        status=event.status,
        result=event.result,
        at_ms=int(now_ms),
        turn=talk.book.agent_number,
    )
    if talk.tools.opt_out_asked:
        return [Record(use)]
    reference = str(event.result.get("reference", ""))
    text = talk.plan.guidance.opt_out_heard.format(reference=reference)
    return [Record(use), AddItem(talk.new_item_id("optout"), Speaker.SYSTEM, text)]


def mark_returned(talk: Talk, name: str, now_ms: float) -> list[Action]:
    """The callee has heard up to this mark."""
    item_id = talk.playout.returned(name, now_ms)
    if item_id is None:
        return []
    turn = talk.book.agent
    if turn is not None and turn.first_mark_back_ms is None:
        turn.first_mark_back_ms = int(now_ms)
    actions: list[Action] = []
    if item_id == CLIP_ITEM and talk.opening.stage is Stage.SPEAKING:
        heard_ms = talk.playout.heard_ms(CLIP_ITEM, now_ms)
        if not talk.playout.holds(CLIP_ITEM):
            heard_ms = len(talk.opening.sound()) // BYTES_PER_MS
        actions += opening_flow.progressed(talk, heard_ms, now_ms)
    actions += talk.playout.pump(now_ms)
    return actions + maybe_end_turn(talk, now_ms)


def maybe_end_turn(talk: Talk, now_ms: float) -> list[Action]:
    """Sofia's turn is over once all of it was heard and nothing more is coming."""
    if talk.is_sofias_turn or talk.gate.has_queued or talk.interruption is not None:
        return []
    if talk.phase in (Phase.CLOSING, Phase.OVER):
        return []
    actions = end_turn(talk, now_ms, interrupted=False)
    if talk.closing.is_armed:
        return actions + closing_flow.hang_up_soon(talk, now_ms)
    talk.enter(Phase.LISTENING)
    if talk.callee_speaking:
        return actions
    return actions + silence_flow.begin(talk, now_ms)


def end_turn(talk: Talk, now_ms: float, interrupted: bool) -> list[Action]:
    """Close the book on Sofia's present turn."""
    return talk.book.agent_ended(now_ms, interrupted)


def stuck(talk: Talk, now_ms: float) -> list[Action]:
    """The reply's watchdog fired."""
    hopeless, actions = talk.gate.stuck(now_ms)
    if hopeless:
        return [*actions, OpenModel()]
    return actions


def release(talk: Talk, now_ms: float) -> list[Action]:
    """The pause before a retry is over."""
    if talk.callee_speaking or talk.interruption is not None:
        return [SetTimer("reply.retry", now_ms + 200)]
    return talk.gate.release(now_ms)
