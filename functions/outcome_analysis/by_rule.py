"""Calls in which nobody was spoken to: the outcome follows from what carrier and engine said, without a model."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from shared.adapters.live_reader import WholeCall
from shared.domain.call import EndReason, FactKind
from shared.domain.conversation import Turn, Who
from shared.domain.outcome import Analysis, Flag, NextStep, OptOut, Outcome

BY_RULE = "rule"
FAULTS = frozenset({EndReason.DROPPED, EndReason.UNKNOWN})
_BY_END: Mapping[EndReason, Outcome] = MappingProxyType(
    {
        EndReason.NO_ANSWER: Outcome.NO_ANSWER,
        EndReason.BUSY: Outcome.BUSY,
        EndReason.FAILED: Outcome.FAILED,
        EndReason.CANCELED: Outcome.CANCELED,
    }
)


def analysis_by_rule(whole: WholeCall, objected: OptOut, now: datetime) -> Analysis | None:
    """None where there is something to read."""
    outcome = _outcome(whole)
    if outcome is None:
        return None
    if objected.requested:
        outcome = Outcome.DO_NOT_CALL
    return Analysis(
        call_id=whole.call.call_id,
        outcome=outcome,
        flags=_flags(whole),
        next_step=NextStep.NONE,
        summary="",
        fields={},
        opt_out=objected,
        sentiment=None,
        language=None,
        reason="sin conversación",
        model=BY_RULE,
        analysed_at=now,
    )


def _outcome(whole: WholeCall) -> Outcome | None:
    reason = whole.call.end_reason
    if reason is EndReason.VOICEMAIL:
        return Outcome.VOICEMAIL
    if any(turn.said for turn in _callee_turns(whole)):
        return None
    if reason is not None and reason in _BY_END:
        return _BY_END[reason]
    return Outcome.VOICEMAIL if _machine_answered(whole) else Outcome.INCONCLUSIVE


def _machine_answered(whole: WholeCall) -> bool:
    verdict = whole.call.fact(FactKind.MACHINE_VERDICT)
    return verdict is not None and verdict.detail.startswith("machine")


def _flags(whole: WholeCall) -> frozenset[Flag]:
    flags = set()
    # Somebody made sounds that nobody could understand.
    if _callee_turns(whole) and whole.call.end_reason is not EndReason.VOICEMAIL:
        flags.add(Flag.AUDIO_PROBLEM)
    if whole.call.end_reason in FAULTS and whole.call.answered_at is not None:
        flags.add(Flag.AGENT_ERROR)
    return frozenset(flags)


def _callee_turns(whole: WholeCall) -> list[Turn]:
    return [turn for turn in whole.conversation.turns if turn.who is Who.CALLEE]
