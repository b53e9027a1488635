"""Reading what a call led to: by rule where nobody spoke, else by the text model, and then by our own rules.

Each step may be repeated: an objection is registered once, the analysis is written once, the fact is recorded once. A
crash between them leaves the later steps to the message, which comes again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from functions.outcome_analysis.answer import AnalysisAnswer
from functions.outcome_analysis.by_rule import BY_RULE, analysis_by_rule
from functions.outcome_analysis.objection import objection
from functions.outcome_analysis.transcript import INSTRUCTIONS, transcript
from functions.outcome_analysis.verdict import analysis_of
from shared.adapters.analyses import Analyses
from shared.adapters.live_calls import LiveCalls
from shared.adapters.live_reader import LiveReader, WholeCall
from shared.adapters.suppressions import Suppressions
from shared.domain.call import Fact, FactKind
from shared.domain.clock import Clock
from shared.domain.conversation import Suppression, Usage, UsageKind
from shared.domain.outcome import SUPPRESSING, Analysis, OptOutScope

SOURCE = "outcome_analysis"


@dataclass(frozen=True, slots=True)
class ReadByModel:
    """The text model's answer and what it consumed."""

    answer: AnalysisAnswer
    usage: Usage


class AnswerModel(Protocol):
    """Who reads a transcript."""

    @property
    def name(self) -> str:
        """As it is kept with the analysis."""
        ...

    def read(self, instructions: str, text: str) -> ReadByModel:
        """Raises Unavailable where there is nothing usable: the queue asks again, then the message lies in the
        dead-letter queue and the call stays visibly unanalysed."""
        ...


@dataclass(frozen=True, slots=True)
class Analyst:
    """The one use case."""

    clock: Clock
    model: AnswerModel
    reader: LiveReader
    live: LiveCalls
    analyses: Analyses
    suppressions: Suppressions

    def analyse(self, call_id: str) -> None:
        """Raises Unavailable, NotFound."""
        whole = self.reader.read(call_id)
        if whole.analysis is None:
            analysis, usage = self._read(whole)
            self._register(whole, analysis)
            self.analyses.put(whole.call, analysis, usage)
        fact = Fact(self.clock.now(), FactKind.ANALYSED, whole.call.attempt, SOURCE)
        self.live.record(call_id, [fact])

    def _read(self, whole: WholeCall) -> tuple[Analysis, Usage]:
        registered = self.suppressions.find(whole.call.tenant_id, whole.call.to_number)
        objected = objection(whole, None, registered)
        by_rule = analysis_by_rule(whole, objected, self.clock.now())
        if by_rule is not None:
            return by_rule, Usage(UsageKind.ANALYSIS, BY_RULE)
        read = self.model.read(INSTRUCTIONS, transcript(whole))
        objected = objection(whole, read.answer, registered)
        name, now = self.model.name, self.clock.now()
        return analysis_of(whole, read.answer, objected, name, now), read.usage

    def _register(self, whole: WholeCall, analysis: Analysis) -> None:
        """Where somebody objected, and where the number is not the business's (any more), it is on record before
        anybody may dial again; what is on record stays as it is."""
        objected = analysis.opt_out
        if not objected.requested and analysis.outcome not in SUPPRESSING:
            return
        call = whole.call
        self.suppressions.add(
            Suppression(
                tenant_id=call.tenant_id,
                number_key=self.suppressions.number_key(call.to_number),
                scope=objected.scope or OptOutScope.TENANT,
                reference=self.suppressions.reference(call.tenant_id, call.to_number),
                at=self.clock.now(),
                source=SOURCE if objected.requested else analysis.outcome.value,
                call_id=call.call_id,
                quote=objected.quote,
            )
        )
