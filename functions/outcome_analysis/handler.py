"""Reads what a call led to, once it is over. An event delivered twice changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from functions.call_events import for_each_call
from functions.outcome_analysis.answer import AnalysisAnswer
from functions.outcome_analysis.app import Analyst, ReadByModel
from shared.adapters import aws_clients
from shared.adapters.analyses import Analyses
from shared.adapters.clock import clock_from
from shared.adapters.live_calls import LiveCalls
from shared.adapters.live_reader import LiveReader
from shared.adapters.secrets import Secrets
from shared.adapters.suppressions import Suppressions
from shared.config import environment, optional, required
from shared.domain.conversation import Usage, UsageKind

if TYPE_CHECKING:
    from shared.adapters.text_model import TextModel


class ModelReader:
    """The text model as the use case wants it."""

    def __init__(self, model: TextModel) -> None:
        self._model = model

    @property
    def name(self) -> str:
        return self._model.model

    def read(self, instructions: str, text: str) -> ReadByModel:
        found = self._model.ask(instructions, text, AnalysisAnswer)
        usage = Usage(
            UsageKind.ANALYSIS,
            self._model.model,
            text_in=found.text_in,
            text_in_cached=found.text_in_cached,
            text_out=found.text_out,
        )
        return ReadByModel(found.parsed, usage)


@cache
def compose() -> Analyst:
    # 0.8 s of import that no other function pays.
    from shared.adapters.text_model import TextModel

    secrets = Secrets(aws_clients.secrets_manager())
    dynamodb, table = aws_clients.dynamodb(), required("LIVE_TABLE")
    suppression_key = secrets.json(required("SIGNING_SECRET_ID"))["suppression"].encode()
    model = TextModel(
        api_key=secrets.json(required("OPENAI_SECRET_ID"))["api_key"],
        model=optional("OUTCOME_MODEL", "gpt-6-luna"),
        base_url=optional("OPENAI_BASE_URL") or None,
    )
    clock = clock_from(environment())
    return Analyst(
        clock=clock,
        model=ModelReader(model),
        reader=LiveReader(dynamodb, table, clock),
        live=LiveCalls(dynamodb, table),
        analyses=Analyses(dynamodb, table),
        suppressions=Suppressions(dynamodb, required("LEADS_TABLE"), suppression_key),
    )


def handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
    return for_each_call(event, context, lambda call_id: compose().analyse(call_id))
