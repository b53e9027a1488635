"""Whether the callee objected to further calls. Tool, register, text matcher and model are asked in this order; where
they differ, the objection wins. So does the model's word without words to show for it: a call too few harms nobody."""

from __future__ import annotations

from functions.outcome_analysis.answer import AnalysisAnswer
from functions.outcome_analysis.grounding import Spoken
from shared.adapters.live_reader import WholeCall
from shared.agents import opt_out as opt_out_words
from shared.domain.conversation import Suppression, ToolStatus, Who
from shared.domain.outcome import SUPPRESSING, OptOut, OptOutScope, Outcome

# Suppressions that analysis registers for what a call led to, though nobody objected.
_NO_OBJECTION = frozenset(outcome.value for outcome in SUPPRESSING - {Outcome.DO_NOT_CALL})


def objection(
    whole: WholeCall, given: AnalysisAnswer | None, registered: Suppression | None
) -> OptOut:
    """`registered` is the objection on record against this number, from whatever call; only one of this call counts
    here. `given` is the model's answer, None where no model was asked."""
    own = registered if registered and registered.call_id == whole.call.call_id else None
    for found in (_by_tool(whole), _by_register(own), _by_words(whole), _by_model(whole, given)):
        if found is not None:
            reference = own.reference if own else found.reference
            return OptOut(True, found.scope, found.quote, reference)
    return OptOut(False)


def _by_tool(whole: WholeCall) -> OptOut | None:
    for tool in reversed(whole.conversation.tools):
        if tool.name == "register_opt_out" and tool.status is ToolStatus.DONE:
            scope = OptOutScope(str(tool.arguments.get("scope", OptOutScope.TENANT)))
            quote = str(tool.arguments.get("quote", ""))
            return OptOut(True, scope, quote, str(tool.result.get("reference", "")) or None)
    return None


def _by_register(own: Suppression | None) -> OptOut | None:
    if own is None or own.source in _NO_OBJECTION:
        return None
    return OptOut(True, own.scope, own.quote, own.reference)


def _by_words(whole: WholeCall) -> OptOut | None:
    for turn in whole.conversation.turns:
        found = opt_out_words.match(turn.said) if turn.who is Who.CALLEE and turn.said else None
        if found is not None and found.kind is not opt_out_words.OptOutKind.SOFT:
            return OptOut(True, found.scope, found.quote)
    return None


def _by_model(whole: WholeCall, given: AnalysisAnswer | None) -> OptOut | None:
    """Said in either place of the answer; the quote is kept where it stands."""
    if given is None:
        return None
    said = given.opt_out
    if not said.requested and given.outcome is not Outcome.DO_NOT_CALL:
        return None
    stands = Spoken(whole).holds(said.turn, said.quote)
    return OptOut(True, said.scope or OptOutScope.TENANT, said.quote if stands else None)
