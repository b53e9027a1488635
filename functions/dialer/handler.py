"""Takes calls from the dial queue and dials them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from functions.dialer.app import Dialer, Dialled
from functions.dialer.pace import LOCKED_OUT_S, delay_s
from functions.operator_log import operator_log
from shared.adapters import aws_clients
from shared.adapters.capacity import MediaCapacity
from shared.adapters.carrier import Carrier, account_of, load_client
from shared.adapters.clock import clock_from
from shared.adapters.dial_queue import DialQueue
from shared.adapters.directory import Directory
from shared.adapters.gatekeeper import Gatekeeper
from shared.adapters.live_calls import LiveCalls
from shared.adapters.secrets import Secrets, token_secrets
from shared.adapters.suppressions import Suppressions
from shared.adapters.twiml import Addresses
from shared.config import environment, optional, required
from shared.domain.errors import Unavailable

# While the function starts, not while a callee waits to be dialled.
load_client()


class NotNow(Unavailable):
    """No slot, no room in the media service, or a carrier that takes nothing: the message comes back."""


@cache
def compose() -> tuple[Dialer, DialQueue]:
    dynamodb, clock = aws_clients.dynamodb(), clock_from(environment())
    secrets = Secrets(aws_clients.secrets_manager())
    twilio_id, signing_id = required("TWILIO_SECRET_ID"), required("SIGNING_SECRET_ID")
    suppression_key = secrets.json(signing_id)["suppression"].encode()
    directory = Directory(dynamodb, required("DIRECTORY_TABLE"))
    live = LiveCalls(dynamodb, required("LIVE_TABLE"))
    suppressions = Suppressions(dynamodb, required("LEADS_TABLE"), suppression_key)
    dialer = Dialer(
        clock=clock,
        directory=directory,
        live=live,
        gatekeeper=Gatekeeper(directory, live, suppressions, clock),
        carrier=Carrier(
            lambda fresh: account_of(secrets.json(twilio_id, fresh)),
            optional("TWILIO_API_BASE_URL") or None,
        ),
        capacity=MediaCapacity(optional("MEDIA_READY_URL") or None),
        addresses=Addresses(required("PUBLIC_BASE_URL"), required("PUBLIC_STREAM_URL")),
        token_secret=lambda: token_secrets(secrets.json(signing_id))[0],
        log=operator_log(),
    )
    return dialer, DialQueue(aws_clients.sqs(), required("DIAL_QUEUE_URL"))


def _dial(record: SQSRecord) -> None:
    dialer, queue = compose()
    try:
        dialled = dialer.dial(record.json_body["call_id"])
    except Exception:
        # The batch processor keeps what it catches to itself.
        dialer.log.exception("a message was not handled", extra={"message_id": record.message_id})
        raise
    if dialled is not Dialled.DONE:
        received = int(record.attributes.approximate_receive_count or "1")
        locked_out = dialled is Dialled.LOCKED_OUT
        queue.postpone(record.receipt_handle, LOCKED_OUT_S if locked_out else delay_s(received))
        raise NotNow("this call cannot be placed now")


def handler(event: Mapping[str, Any], context: Any) -> Any:
    processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
    return process_partial_response(
        event=dict(event), record_handler=_dial, processor=processor, context=context
    )
