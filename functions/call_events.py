"""Events about calls as they come from a queue: one record, one call. A record that fails comes again, then lies in
the dead-letter queue; the others of its batch are done."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from functions.operator_log import operator_log
from shared.domain.errors import InvalidInput


def for_each_call(
    event: Mapping[str, Any], context: Any, handle: Callable[[str], None]
) -> Mapping[str, Any]:
    """Give each record's call id to `handle`; the answer names the records that failed, as SQS wants it."""

    def handle_record(record: SQSRecord) -> None:
        call_id = None
        try:
            call_id = call_id_of(record.body)
            handle(call_id)
        except Exception as error:
            # For the operator, without the error's text: it may quote what people said.
            extra = {"call_id": call_id, "error": type(error).__name__}
            operator_log().warning("a call's event was not processed; it comes again", extra=extra)
            raise

    processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
    answer: Mapping[str, Any] = process_partial_response(
        event=dict(event), record_handler=handle_record, processor=processor, context=context
    )
    return answer


def call_id_of(body: str) -> str:
    """The call that a message is about; raises InvalidInput (nothing helps such a message but the dead-letter
    queue)."""
    try:
        call_id = json.loads(body)["detail"]["data"]["call_id"]
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidInput("detail.data.call_id", "the message is no event about a call") from error
    if not isinstance(call_id, str) or not call_id:
        raise InvalidInput("detail.data.call_id", "is the call's id")
    return call_id
