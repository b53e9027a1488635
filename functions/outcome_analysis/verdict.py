"""From the analyst's answer to the analysis that counts: what has no quote in the transcript is dropped, an objection
on record wins, and calls without a conversation need no model at all."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from functions.outcome_analysis.answer import AnalysisAnswer
from shared.adapters.live_reader import WholeCall
from shared.agents import opt_out as opt_out_words
from shared.agents.folding import words
from shared.domain.agent import Duty
from shared.domain.call import EndReason
from shared.domain.conversation import ToolStatus, ToolUse, Who
from shared.domain.outcome import (
    FIELD_NAMES,
    Analysis,
    Evidence,
    ExtractedField,
    Flag,
    NextStep,
    OptOut,
    Outcome,
)

_BY_CARRIER = {
    EndReason.NO_ANSWER: Outcome.NO_ANSWER,
    EndReason.BUSY: Outcome.BUSY,
    EndReason.FAILED: Outcome.FAILED,
    EndReason.CANCELED: Outcome.CANCELED,
    EndReason.VOICEMAIL: Outcome.VOICEMAIL,
}
BY_RULE = "rule"


def without_conversation(whole: WholeCall, now: datetime) -> Analysis | None:
    """The analysis of a call in which nobody was spoken to; None where there is something to read."""
    reason = whole.call.end_reason
    spoke = any(turn.who is Who.CALLEE and turn.said for turn in whole.conversation.turns)
    if reason in _BY_CARRIER and (reason is EndReason.VOICEMAIL or not spoke):
        outcome = _BY_CARRIER[reason]
    elif not spoke:
        outcome = Outcome.INCONCLUSIVE
    else:
        return None
    return Analysis(
        call_id=whole.call.call_id,
        outcome=outcome,
        flags=frozenset(),
        next_step=NextStep.NONE,
        summary="",
        fields={},
        opt_out=OptOut(False),
        sentiment=None,
        language=None,
        reason="sin conversación",
        model=BY_RULE,
        analysed_at=now,
    )


def analysis_of(whole: WholeCall, given: AnalysisAnswer, model: str, now: datetime) -> Analysis:
    """The analysis that counts."""
    spoken = {t.n: words(t.said or "") for t in whole.conversation.turns if t.who is Who.CALLEE}
    fields: dict[str, ExtractedField] = {}
    for name in FIELD_NAMES:
        found: Any = getattr(given, name)
        if found is None or not _stands(found.turn, found.quote, spoken):
            continue
        value = tuple(found.value) if isinstance(found.value, list) else found.value
        fields[name] = ExtractedField(value, Evidence(found.turn, found.quote))
    objection = _objection(whole, given)
    flags = set(given.flags)
    _trust_confirmed_time(whole, fields, flags)
    missing = {duty for duty in Duty} - {duty.duty for duty in whole.conversation.duties}
    outcome = given.outcome
    if objection.requested and outcome is not Outcome.WRONG_NUMBER:
        outcome = Outcome.DO_NOT_CALL
    if missing and not objection.requested and outcome not in (Outcome.VOICEMAIL, Outcome.IVR):
        flags.add(Flag.OPENING_INCOMPLETE)
    return Analysis(
        call_id=whole.call.call_id,
        outcome=outcome,
        flags=frozenset(flags),
        next_step=NextStep.NONE if objection.requested else given.next_step,
        summary=given.summary,
        fields=fields,
        opt_out=objection,
        sentiment=given.sentiment.value,
        language=given.language,
        reason=given.reason,
        model=model,
        analysed_at=now,
    )


def _stands(turn: int, quote: str, spoken: dict[int, str]) -> bool:
    return bool(quote.strip()) and words(quote).strip() in spoken.get(turn, "")


def _done(whole: WholeCall, name: str) -> ToolUse | None:
    tools = [t for t in whole.conversation.tools if t.name == name and t.status is ToolStatus.DONE]
    return tools[-1] if tools else None


def _objection(whole: WholeCall, given: AnalysisAnswer) -> OptOut:
    """Where tool, matcher and model differ, suppression wins."""
    tool = _done(whole, "register_opt_out")
    if tool is not None:
        return OptOut(
            True,
            str(tool.arguments.get("scope", "tenant")),
            str(tool.arguments.get("quote", "")),
            str(tool.result.get("reference", "")) or None,
        )
    for turn in whole.conversation.turns:
        found = opt_out_words.match(turn.said or "") if turn.who is Who.CALLEE else None
        if found is not None and found.kind is not opt_out_words.OptOutKind.SOFT:
            return OptOut(True, found.scope.value, found.quote)
    if given.opt_out.requested and given.opt_out.quote:
        return OptOut(True, given.opt_out.scope or "tenant", given.opt_out.quote)
    return OptOut(False)


def _trust_confirmed_time(
    whole: WholeCall, fields: dict[str, ExtractedField], flags: set[Flag]
) -> None:
    """The time that was read back and booked counts, not the analyst's reading of it."""
    tool = _done(whole, "schedule_callback")
    if tool is None:
        return
    booked = str(tool.arguments.get("at", ""))
    known = fields.get("callback_at")
    if known is not None and known.value != booked:
        flags.add(Flag.AGENT_ERROR)
    last = [t for t in whole.conversation.turns if t.who is Who.CALLEE and t.said]
    evidence = known.evidence if known else Evidence(last[-1].n, last[-1].said or "")
    fields["callback_at"] = ExtractedField(booked, evidence)
