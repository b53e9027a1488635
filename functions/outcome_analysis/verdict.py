"""From the analyst's answer to the analysis that counts: fields that stand on quotes, an objection that wins, the time
that was read back and booked, and the outcome that ranks first among what is proved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from functions.outcome_analysis.answer import AnalysisAnswer
from functions.outcome_analysis.by_rule import FAULTS
from functions.outcome_analysis.grounding import Spoken, grounded, moment
from functions.outcome_analysis.private_details import without_private_details
from shared.adapters.live_reader import WholeCall
from shared.domain.agent import Duty
from shared.domain.conversation import FollowUp, FollowUpKind, ToolStatus, ToolUse, Who
from shared.domain.outcome import (
    Analysis,
    Evidence,
    ExtractedField,
    Flag,
    NextStep,
    OptOut,
    Outcome,
)

Fields = dict[str, ExtractedField]
_RANK = {outcome: rank for rank, outcome in enumerate(Outcome)}
# Of these people nothing is kept beyond the transcript.
_KEEPS_NOTHING: Mapping[Outcome, str] = MappingProxyType(
    {
        Outcome.WRONG_NUMBER: "El número no corresponde al negocio.",
        Outcome.MINOR_ANSWERED: "Contestó un menor y no se puso ningún adulto.",
    }
)
# After these no duty of the opening is owed any more.
_ENDS_THE_DUTIES = frozenset(
    {
        Outcome.WRONG_NUMBER,
        Outcome.DO_NOT_CALL,
        Outcome.HUNG_UP,
        Outcome.IVR,
        Outcome.VOICEMAIL,
    }
)


@dataclass(frozen=True, slots=True)
class _Promises:
    """What was agreed in the call and still stands at its end."""

    appointment: FollowUp | None
    information: FollowUp | None

    @classmethod
    def of(cls, whole: WholeCall, objected: OptOut) -> _Promises:
        standing = [f for f in whole.conversation.follow_ups if not f.cancelled]
        if objected.requested:
            return cls(None, None)
        kinds = (FollowUpKind.DEMO, FollowUpKind.CALLBACK)
        appointments = [f for f in standing if f.kind in kinds and f.at is not None]
        information = [f for f in standing if f.kind is FollowUpKind.INFORMATION]
        return cls(
            appointments[-1] if appointments else None, information[-1] if information else None
        )


def analysis_of(
    whole: WholeCall, given: AnalysisAnswer, objected: OptOut, model: str, now: datetime
) -> Analysis:
    """The analysis that counts; `objected` is what `objection` found."""
    promises = _Promises.of(whole, objected)
    fields = grounded(given, Spoken(whole))
    flags: set[Flag] = set(given.flags)
    if not _settle_appointment(whole, promises.appointment, fields, objected):
        flags.add(Flag.AGENT_ERROR)
    _settle_address(whole, promises.information, fields)
    outcome = _outcome(whole, given.outcome, fields, promises, objected)
    if outcome is not Outcome.QUALIFIED and given.outcome is Outcome.QUALIFIED:
        # The model saw more than is proved: for a person to look at.
        flags |= set() if objected.requested else {Flag.AGENT_ERROR}
    if objected.requested and objected.quote is None:
        # The model read an objection and cannot show where: suppressed, and for a person to look at.
        flags.add(Flag.AGENT_ERROR)
    flags |= _flags_of_ours(whole, outcome)
    summary, redacted = without_private_details(given.summary)
    if outcome in _KEEPS_NOTHING:
        fields, summary, redacted = {}, _KEEPS_NOTHING[outcome], False
    if redacted:
        flags.add(Flag.SENSITIVE_DATA_REDACTED)
    return Analysis(
        call_id=whole.call.call_id,
        outcome=outcome,
        flags=frozenset(flags),
        next_step=_next_step(outcome, promises, given.next_step, fields),
        summary=summary,
        fields=fields,
        opt_out=objected,
        sentiment=given.sentiment.value,
        language=_language(given.language),
        reason=without_private_details(given.reason)[0],
        model=model,
        analysed_at=now,
    )


def _outcome(
    whole: WholeCall,
    given: Outcome,
    fields: Fields,
    promises: _Promises,
    objected: OptOut,
) -> Outcome:
    """The first of the list among the model's word and what is on record."""
    candidates = {_proved(given, fields)}
    if objected.requested:
        candidates.add(Outcome.DO_NOT_CALL)
    if _done(whole, "transfer_to_human") is not None:
        candidates.add(Outcome.TRANSFERRED)
    if promises.appointment is not None:
        demo = promises.appointment.kind is FollowUpKind.DEMO
        candidates.add(Outcome.CALLBACK_REQUESTED)
        candidates |= {Outcome.QUALIFIED} if demo and _is_qualified(fields) else set()
    if promises.information is not None:
        candidates.add(Outcome.INFO_REQUESTED)
    return min(candidates, key=lambda outcome: _RANK[outcome])


def _proved(given: Outcome, fields: Fields) -> Outcome:
    """A qualified lead decides, has a problem, and agreed to a day and an hour; with less it is what is left."""
    if given is not Outcome.QUALIFIED or _is_qualified(fields):
        return given
    if "callback_at" in fields:
        return Outcome.CALLBACK_REQUESTED
    reachable = "email_consent" in fields or "whatsapp_consent" in fields
    return Outcome.INFO_REQUESTED if reachable else Outcome.INCONCLUSIVE


def _is_qualified(fields: Fields) -> bool:
    decides = fields.get("is_decision_maker")
    # Who moves things without deciding counts; who was said not to decide does not.
    may_decide = decides is None or decides.value is True
    return may_decide and "pain_points" in fields and "callback_at" in fields


def _settle_appointment(
    whole: WholeCall, agreed: FollowUp | None, fields: Fields, objected: OptOut
) -> bool:
    """What was read back and booked counts, not the analyst's reading of it; what was called off is gone. False
    where the two name different moments."""
    read = fields.get("callback_at")
    names = ("callback_at", "callback_timezone", "callback_with")
    if agreed is None or agreed.at is None:
        if objected.requested or _done(whole, "cancel_callback") is not None:
            for name in names:
                fields.pop(name, None)
        return True
    evidence = _evidence(whole, _done(whole, "schedule_callback"), read)
    if evidence is None:
        return True
    values = (agreed.at.isoformat(), agreed.timezone, agreed.with_whom)
    for name, value in zip(names, values, strict=True):
        if value is not None:
            known = fields.get(name)
            fields[name] = ExtractedField(value, known.evidence if known else evidence)
    return read is None or moment(str(read.value)) == agreed.at


def _settle_address(whole: WholeCall, sent: FollowUp | None, fields: Fields) -> None:
    """The address that was read back and used counts."""
    if sent is None or sent.address is None:
        return
    name = "email" if sent.channel == "email" else "whatsapp_number"
    evidence = _evidence(whole, _done(whole, "send_information"), fields.get(name))
    if evidence is not None:
        fields[name] = ExtractedField(sent.address, evidence)


def _evidence(
    whole: WholeCall, tool: ToolUse | None, known: ExtractedField | None
) -> Evidence | None:
    """The analyst's own, else the callee's last words before the tool was called."""
    if known is not None:
        return known.evidence
    spoken = [t for t in whole.conversation.turns if t.who is Who.CALLEE and t.said]
    before = [t for t in spoken if tool is None or t.started_ms <= tool.at_ms] or spoken
    return Evidence(before[-1].n, before[-1].said or "") if before else None


def _flags_of_ours(whole: WholeCall, outcome: Outcome) -> set[Flag]:
    """What code knows without asking anybody."""
    flags: set[Flag] = set()
    heard = {duty.duty for duty in whole.conversation.duties}
    if heard != set(Duty) and outcome not in _ENDS_THE_DUTIES:
        flags.add(Flag.OPENING_INCOMPLETE)
    if _done(whole, "report_privacy_request") is not None:
        flags.add(Flag.PRIVACY_REQUEST)
    if any(tool.name == "transfer_to_human" for tool in whole.conversation.tools):
        flags.add(Flag.HUMAN_REQUESTED)
    if outcome is Outcome.MINOR_ANSWERED:
        flags.add(Flag.MINOR)
    if whole.call.end_reason in FAULTS:
        flags.add(Flag.AGENT_ERROR)
    return flags


def _next_step(outcome: Outcome, promises: _Promises, given: NextStep, fields: Fields) -> NextStep:
    """What stands at the end; the model's word where an agreed time is in its fields alone."""
    if outcome in (Outcome.WRONG_NUMBER, Outcome.DO_NOT_CALL, Outcome.MINOR_ANSWERED):
        return NextStep.NONE
    if promises.appointment is not None:
        demo = promises.appointment.kind is FollowUpKind.DEMO
        return NextStep.DEMO if demo else NextStep.CALLBACK
    if "callback_at" in fields and given in (NextStep.DEMO, NextStep.CALLBACK):
        return given
    if promises.information is not None or outcome is Outcome.INFO_REQUESTED:
        return NextStep.INFO
    return NextStep.HUMAN if outcome is Outcome.HUMAN_REQUESTED else NextStep.NONE


def _language(text: str) -> str | None:
    """ISO 639-1."""
    code = text.strip().lower()[:2]
    return code if len(code) == 2 and code.isascii() and code.isalpha() else None


def _done(whole: WholeCall, *names: str) -> ToolUse | None:
    """The last call of one of these tools that did what it was for."""
    for tool in reversed(whole.conversation.tools):
        succeeded = tool.status is ToolStatus.DONE and tool.result.get("ok", True) is True
        if tool.name in names and succeeded:
            return tool
    return None
