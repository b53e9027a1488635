"""Reads what a call led to, once it is over. An event delivered twice changes nothing: the analysis is written once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from botocore.exceptions import ClientError

from functions.outcome_analysis.answer import AnalysisAnswer
from functions.outcome_analysis.transcript import INSTRUCTIONS, transcript
from functions.outcome_analysis.verdict import analysis_of, without_conversation
from shared.adapters import aws_clients
from shared.adapters.clock import clock_from
from shared.adapters.codec import to_json
from shared.adapters.live_calls import LiveCalls
from shared.adapters.live_reader import LiveReader, WholeCall
from shared.adapters.secrets import Secrets
from shared.config import environment, optional, required
from shared.domain.call import Fact, FactKind
from shared.domain.clock import Clock
from shared.domain.conversation import Usage, UsageKind
from shared.domain.errors import Unavailable
from shared.domain.outcome import Analysis

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from openai import OpenAI

SOURCE = "outcome_analysis"
MODEL_WITHIN_S = 40.0


@dataclass(frozen=True, slots=True)
class Analyst:
    clock: Clock
    client: OpenAI
    model: str
    reader: LiveReader
    live: LiveCalls
    dynamodb: DynamoDBClient
    table: str

    def analyse(self, call_id: str) -> None:
        """Raises Unavailable where the model gives nothing usable: the queue asks again, then the DLQ keeps it."""
        whole = self.reader.read(call_id)
        if whole.analysis is None:
            self._write(*self._read(whole), whole)
        fact = Fact(self.clock.now(), FactKind.ANALYSED, whole.call.attempt, SOURCE)
        self.live.record(call_id, [fact])

    def _read(self, whole: WholeCall) -> tuple[Analysis, Usage]:
        now = self.clock.now()
        by_rule = without_conversation(whole, now)
        if by_rule is not None:
            return by_rule, Usage(UsageKind.ANALYSIS, by_rule.model)
        answer = self.client.responses.parse(
            model=self.model,
            input=[
                {"role": "system", "content": INSTRUCTIONS},
                {"role": "user", "content": transcript(whole)},
            ],
            text_format=AnalysisAnswer,
            store=False,
        )
        if answer.output_parsed is None or answer.usage is None:
            raise Unavailable("the text model gave no analysis")
        usage = Usage(
            UsageKind.ANALYSIS,
            self.model,
            text_in=answer.usage.input_tokens,
            text_in_cached=answer.usage.input_tokens_details.cached_tokens,
            text_out=answer.usage.output_tokens,
        )
        return analysis_of(whole, answer.output_parsed, self.model, now), usage

    def _write(self, analysis: Analysis, usage: Usage, whole: WholeCall) -> None:
        item: dict[str, Any] = {
            "pk": {"S": f"CALL#{whole.call.call_id}"},
            "sk": {"S": "ANALYSIS"},
            "body": {"S": to_json(analysis)},
            "usage": {"S": to_json(usage)},
            "v": {"N": "1"},
            "trace_id": {"S": whole.call.trace_id},
        }
        try:
            self.dynamodb.put_item(
                TableName=self.table,
                Item=item,
                ConditionExpression="attribute_not_exists(pk)",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise


@cache
def compose() -> Analyst:
    # 0.8 s of import that no other function pays.
    from openai import OpenAI

    secrets = Secrets(aws_clients.secrets_manager())
    dynamodb, table = aws_clients.dynamodb(), required("LIVE_TABLE")
    return Analyst(
        clock=clock_from(environment()),
        client=OpenAI(
            api_key=secrets.json(required("OPENAI_SECRET_ID"))["api_key"],
            base_url=optional("OPENAI_BASE_URL") or None,
            timeout=MODEL_WITHIN_S,
            max_retries=1,
        ),
        model=optional("OUTCOME_MODEL", "gpt-6-luna"),
        reader=LiveReader(dynamodb, table),
        live=LiveCalls(dynamodb, table),
        dynamodb=dynamodb,
        table=table,
    )


def _analyse(record: SQSRecord) -> None:
    event = json.loads(record.body)
    compose().analyse(event["detail"]["data"]["call_id"])


def handler(event: Mapping[str, Any], context: Any) -> Any:
    processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
    return process_partial_response(
        event=dict(event), record_handler=_analyse, processor=processor, context=context
    )
