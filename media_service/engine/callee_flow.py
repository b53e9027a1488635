"""Events of the callee's side: they speak, stop, and what it turned out to be."""

from __future__ import annotations

from media_service.engine import (
    closing_flow,
    detection_flow,
    opening_flow,
    reply_flow,
    sending,
    silence_flow,
)
from media_service.engine.actions import (
    Action,
    AddItem,
    DeleteItem,
    Record,
    SetTimer,
    Speaker,
    StopTimer,
)
from media_service.engine.events import (
    Committed,
    SpeechStarted,
    SpeechStopped,
    WordsHeard,
)
from media_service.engine.farewell import is_farewell
from media_service.engine.interruption import (
    VERDICT,
    WORDS_BEFORE_ACTING_MS,
    Interruption,
    Verdict,
)
from media_service.engine.opening import CLIP_ITEM, RESTART_MS, Stage
from media_service.engine.reply_gate import Purpose, Request
from media_service.engine.talk import Phase, Talk
from shared.domain.conversation import CloseCause
from shared.domain.journal import Moments

# A goodbye of which this little is left is not begun again after the callee's own.
GOODBYE_REST_MS = 3_000


def speech_started(talk: Talk, event: SpeechStarted, now_ms: float) -> list[Action]:
    """Stop Sofia at once; nothing to the model yet."""
    padding_ms = talk.plan.turn_taking.prefix_padding_ms
    began_ms = min(int(talk.audio_base_ms + event.at_ms + padding_ms), int(now_ms))
    talk.book.callee_started(event.item_id, began_ms)
    talk.callee_speaking = True
    actions = silence_flow.stop(talk)
    if not talk.opening.has_begun:
        return actions + opening_flow.first_words_began(talk, now_ms)
    if talk.interruption is not None:
        talk.interruption.items.append(event.item_id)
        return [*actions, StopTimer(VERDICT)]
    if talk.is_sofias_turn or talk.closing.is_armed:
        remaining_ms = talk.playout.unheard_ms(now_ms)
        over_nothing = not talk.book.is_heard and not talk.closing.is_armed
        talk.interruption = Interruption(remaining_ms, over_nothing, [event.item_id])
        actions += talk.playout.pause(now_ms)
        actions.append(StopTimer(closing_flow.HANG_UP))
    return actions


def speech_stopped(talk: Talk, event: SpeechStopped, now_ms: float) -> list[Action]:
    """The detector says that the callee has finished."""
    talk.callee_speaking = False
    has_begun = talk.opening.has_begun
    silence_ms = talk.plan.turn_taking.silence_ms if has_begun else opening_flow.FIRST_SILENCE_MS
    ended_ms = int(talk.audio_base_ms + event.at_ms - silence_ms)
    actions = talk.book.callee_stopped(event.item_id, ended_ms, now_ms)
    turn = talk.book.callee(event.item_id)
    if talk.first_callee_end_ms is None and turn is not None and turn.ended_ms is not None:
        talk.first_callee_end_ms = turn.ended_ms
        actions.append(Record(Moments(talk.first_sound_ms, talk.first_callee_end_ms)))
    if not has_begun:
        length_ms = (turn.ended_ms or 0) - turn.started_ms if turn else 0
        return actions + opening_flow.first_words_ended(talk, length_ms, now_ms)
    if talk.interruption is not None:
        talk.interruption.stopped_ms = now_ms
        wait_ms = talk.plan.turn_taking.false_interruption_ms
        actions.append(SetTimer(VERDICT, now_ms + wait_ms))
    return actions


def committed(talk: Talk, _event: Committed, now_ms: float) -> list[Action]:
    """The utterance stands in the model's conversation: it is Sofia's turn, unless something is still open."""
    if not talk.opening.has_begun:
        return []
    if talk.interruption is not None:
        # Where the call closes or tools are at work, the words must show that somebody wants to go on.
        must_show = talk.closing.is_armed or bool(talk.tools.held or talk.tools.running)
        if talk.interruption.is_over_nothing and not talk.callee_speaking and not must_show:
            # Sofia had not begun: nothing was heard, so nothing can be cut wrongly.
            return conclude(talk, Verdict.REAL, now_ms)
        return []
    if talk.callee_speaking or talk.phase in (Phase.CLOSING, Phase.OVER) or talk.is_sofias_turn:
        return []
    return reply_flow.answer(talk, now_ms)


def words_heard(talk: Talk, event: WordsHeard, now_ms: float) -> list[Action]:
    """The transcript of an utterance: late, a hint, and the quickest proof of what an interruption was."""
    actions: list[Action] = [Record(event.usage)] if event.usage else []
    actions += talk.book.callee_words(event.item_id, event.text)
    talk.noisy = not event.text.strip()
    actions += detection_flow.listen_for_opt_out(talk, event.text)
    machine = detection_flow.machine_speaking(talk, event.text)
    if machine is not None:
        return actions + detection_flow.machine_spoke(talk, machine, now_ms)
    if talk.phase in (Phase.CLOSING, Phase.OVER):
        return actions
    if not talk.opening.has_begun:
        return actions + opening_flow.words_before(talk, event.text, now_ms)
    pending = talk.interruption
    if pending is None or event.item_id not in pending.items:
        return actions
    verdict = pending.verdict_by_words(event.text)
    if talk.callee_speaking or pending.stopped_ms is None or event.item_id != pending.items[-1]:
        return actions
    return actions + conclude(talk, verdict, now_ms)


def verdict_due(talk: Talk, now_ms: float) -> list[Action]:
    """No words in time: the length of the sound decides."""
    pending = talk.interruption
    if pending is None or talk.callee_speaking:
        return []
    if any(pending.words):
        return conclude(talk, pending.verdict_by_words(""), now_ms)
    turn = talk.book.callee(pending.items[-1])
    speech_ms = (turn.ended_ms or turn.started_ms) - turn.started_ms if turn else 0
    # Neither a question may be hung up on nor an announcement be greeted.
    is_long = speech_ms > talk.plan.turn_taking.long_first_utterance_ms
    must_know = talk.closing.is_armed or (is_long and _greeting_went_on(talk, now_ms))
    if must_know and not pending.waited_for_words:
        pending.waited_for_words = True
        return [SetTimer(VERDICT, now_ms + WORDS_BEFORE_ACTING_MS)]
    return conclude(talk, pending.verdict_by_length(speech_ms), now_ms)


def conclude(talk: Talk, verdict: Verdict, now_ms: float) -> list[Action]:
    """End a pending interruption one way or the other."""
    pending, talk.interruption = talk.interruption, None
    if pending is None:
        return []
    actions: list[Action] = [StopTimer(VERDICT)]
    words = " ".join(pending.words)
    # Whoever was given up for silent is there after all, whatever they say.
    is_back = talk.closing.cause is CloseCause.SILENCE and bool(words.strip())
    if verdict is Verdict.FALSE and not is_back:
        return actions + _go_on(talk, pending, now_ms)
    if talk.closing.is_armed:
        if is_farewell(words) and not is_back:
            return actions + _goodbyes_crossed(talk, now_ms)
        talk.closing.disarm()
        actions.append(StopTimer(closing_flow.DEADLINE))
    if _greeting_went_on(talk, now_ms):
        return actions + opening_flow.restart(talk, now_ms)
    actions += reply_flow.drop_tools(talk)
    actions += opening_flow.give_way(talk, now_ms)
    talk.book.judged(now_ms)
    return actions + reply_flow.answer(talk, now_ms)


def _go_on(talk: Talk, pending: Interruption, now_ms: float) -> list[Action]:
    """It was nothing: the noise leaves the model's memory, Sofia goes on from the first unheard byte."""
    actions: list[Action] = [DeleteItem(item_id) for item_id in pending.items]
    actions += sending.resume(talk, now_ms)
    actions += reply_flow.run_held_tools(talk)
    return actions + reply_flow.speak_of_results(talk, now_ms)


def _greeting_went_on(talk: Talk, now_ms: float) -> bool:
    return (
        talk.opening.stage is Stage.SPEAKING
        and talk.opening.first_clause == 0
        and not talk.opening.heard
        and 0 < talk.playout.heard_ms(CLIP_ITEM, now_ms) < RESTART_MS
        and talk.book.callee_count <= 2
    )


def _goodbyes_crossed(talk: Talk, now_ms: float) -> list[Action]:
    """Both said goodbye. What is left of a long last turn may be an appointment: it is still said."""
    if talk.playout.unheard_ms(now_ms) > GOODBYE_REST_MS:
        return sending.resume(talk, now_ms) + reply_flow.maybe_end_turn(talk, now_ms)
    actions = opening_flow.give_way(talk, now_ms)
    return actions + closing_flow.hang_up_soon(talk, now_ms)


def digit(talk: Talk, key: str, now_ms: float) -> list[Action]:
    """The callee pressed a key; the model is told, and answers when it is her turn."""
    item = AddItem(
        talk.new_item_id("key"),
        Speaker.SYSTEM,
        f"El interlocutor ha pulsado la tecla {key}.",
    )
    if not talk.may_speak_freely or talk.is_sofias_turn or talk.callee_speaking:
        return [item]
    return [item, *talk.gate.want(Request(Purpose.ANSWER), now_ms)]
