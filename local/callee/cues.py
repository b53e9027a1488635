"""When a person says the next line: pure rules over what was heard and said so far."""

from __future__ import annotations

from dataclasses import dataclass

from local.callee.lines import Line
from local.callee.listening import AgentListening
from local.callee.manners import Manners
from local.callee.persona import When


@dataclass(frozen=True, slots=True)
class Moment:
    """Where a call stands for the callee, between two lines of its own.

    `last_words_ms` is the end of the last words said (0 at the answer), `own_end_ms` that of
    anything the callee played. `answer_owed` is false after words to the room.
    """

    now_ms: int
    last_words_ms: int
    own_end_ms: int
    answer_owed: bool
    hears: bool


def is_due(line: Line, moment: Moment, agent: AgentListening, manners: Manners) -> bool:
    """Whether `line` is to begin in the frame that starts now."""
    if line.when is When.FIRST:
        return moment.now_ms >= manners.first_words_ms
    since_own_ms = moment.now_ms - moment.own_end_ms
    if line.when is When.NO_WAIT:
        return since_own_ms >= (manners.breath_ms if line.speech else 0)
    if not moment.hears:
        return since_own_ms >= manners.unheard_pause_ms
    began_ms = agent.turn_began_ms(moment.last_words_ms)
    if began_ms is None:
        return (
            not moment.answer_owed
            and since_own_ms >= manners.room_wait_ms
            and agent.silent_ms(moment.now_ms) >= manners.agent_done_ms
        )
    finished = agent.silent_ms(moment.now_ms) >= manners.agent_done_ms
    if line.when is When.INTERRUPT:
        return finished or moment.now_ms - began_ms >= line.at_ms
    return finished


def quiet_ms(moment: Moment, agent: AgentListening) -> int:
    """How long neither side has made a sound."""
    return moment.now_ms - max(moment.own_end_ms, agent.last_sound_end_ms)
