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
from shared.adapters import aws_clients
from shared.adapters.capacity import MediaCapacity
from shared.adapters.carrier import Carrier
from shared.adapters.clock import clock_from
from shared.adapters.directory import Directory
from shared.adapters.gatekeeper import Gatekeeper
from shared.adapters.live_calls import LiveCalls
from shared.adapters.secrets import Secrets, token_secrets
from shared.adapters.suppressions import Suppressions
from shared.adapters.twiml import Addresses
from shared.config import environment, optional, required
from shared.domain.errors import Unavailable


class NotNow(Unavailable):
    """No slot, or no room in the media service: the message comes back after its visibility timeout."""


@cache
def compose() -> Dialer:
    dynamodb, clock = aws_clients.dynamodb(), clock_from(environment())
    secrets = Secrets(aws_clients.secrets_manager())
    twilio = secrets.json(required("TWILIO_SECRET_ID"))
    signing = secrets.json(required("SIGNING_SECRET_ID"))
    directory = Directory(dynamodb, required("DIRECTORY_TABLE"))
    live = LiveCalls(dynamodb, required("LIVE_TABLE"))
    suppressions = Suppressions(dynamodb, required("LEADS_TABLE"), signing["suppression"].encode())
    base_url = optional("TWILIO_API_BASE_URL") or None
    return Dialer(
        clock=clock,
        directory=directory,
        live=live,
        gatekeeper=Gatekeeper(directory, live, suppressions, clock),
        carrier=Carrier(twilio["account_sid"], twilio["auth_token"], base_url),
        capacity=MediaCapacity(optional("MEDIA_READY_URL") or None),
        addresses=Addresses(required("PUBLIC_BASE_URL"), required("PUBLIC_STREAM_URL")),
        token_secret=token_secrets(signing)[0],
    )


def _dial(record: SQSRecord) -> None:
    if compose().dial(record.json_body["call_id"]) is Dialled.NOT_NOW:
        raise NotNow("no room for this call now")


def handler(event: Mapping[str, Any], context: Any) -> Any:
    processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
    return process_partial_response(
        event=dict(event), record_handler=_dial, processor=processor, context=context
    )
