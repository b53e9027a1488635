"""Every minute: finds calls that stand still and settles them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from functions.operator_log import operator_log
from functions.reconciler.app import Reconciler
from shared.adapters import aws_clients
from shared.adapters.carrier import Carrier, account_of
from shared.adapters.clock import clock_from
from shared.adapters.dial_queue import DialQueue
from shared.adapters.leases import Leases
from shared.adapters.live_calls import LiveCalls
from shared.adapters.secrets import Secrets
from shared.config import environment, optional, required


@cache
def compose() -> Reconciler:
    dynamodb = aws_clients.dynamodb()
    secrets, twilio_id = Secrets(aws_clients.secrets_manager()), required("TWILIO_SECRET_ID")
    return Reconciler(
        clock=clock_from(environment()),
        live=LiveCalls(dynamodb, required("LIVE_TABLE")),
        leases=Leases(dynamodb, required("LIVE_TABLE")),
        queue=DialQueue(aws_clients.sqs(), required("DIAL_QUEUE_URL")),
        carrier=Carrier(
            lambda fresh: account_of(secrets.json(twilio_id, fresh)),
            optional("TWILIO_API_BASE_URL") or None,
        ),
        log=operator_log(),
    )


def handler(_event: Mapping[str, Any], context: Any) -> dict[str, int]:
    return {"moved": compose().run(context.get_remaining_time_in_millis)}
