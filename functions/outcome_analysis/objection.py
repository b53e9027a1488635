"""Whether the callee objected to further calls. Tool, register, text matcher and model are asked in this order; where
they differ, the objection wins."""

from __future__ import annotations

from functions.outcome_analysis.answer import OptOutAnswer
from functions.outcome_analysis.grounding import Spoken
from shared.adapters.live_reader import WholeCall
from shared.agents import opt_out as opt_out_words
from shared.domain.conversation import Suppression, ToolStatus, Who
from shared.domain.outcome import OptOut


def objection(
    whole: WholeCall, given: OptOutAnswer | None, registered: Suppression | None
) -> OptOut:
    """`registered` is the objection on record against this number, from whatever call; only one of this call counts
    here. `given` is the model's word, None where no model was asked."""
    own = registered if registered and registered.call_id == whole.call.call_id else None
    for found in (_by_tool(whole), _by_register(own), _by_words(whole), _by_model(whole, given)):
        if found is not None:
            reference = own.reference if own else found.reference
            return OptOut(True, found.scope, found.quote, reference)
    return OptOut(False)


def _by_tool(whole: WholeCall) -> OptOut | None:
    for tool in reversed(whole.conversation.tools):
        if tool.name == "register_opt_out" and tool.status is ToolStatus.DONE:
            scope = str(tool.arguments.get("scope", "tenant"))
            quote = str(tool.arguments.get("quote", ""))
            return OptOut(True, scope, quote, str(tool.result.get("reference", "")) or None)
    return None


def _by_register(own: Suppression | None) -> OptOut | None:
    return OptOut(True, own.scope, own.quote, own.reference) if own else None


def _by_words(whole: WholeCall) -> OptOut | None:
    for turn in whole.conversation.turns:
        found = opt_out_words.match(turn.said) if turn.who is Who.CALLEE and turn.said else None
        if found is not None and found.kind is not opt_out_words.OptOutKind.SOFT:
            return OptOut(True, found.scope.value, found.quote)
    return None


def _by_model(whole: WholeCall, given: OptOutAnswer | None) -> OptOut | None:
    """The model's word alone needs a quote that stands."""
    if given is None or not given.requested or not Spoken(whole).holds(given.turn, given.quote):
        return None
    return OptOut(True, given.scope.value if given.scope else "tenant", given.quote)
