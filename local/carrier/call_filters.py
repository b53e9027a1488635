"""The filters of the call list; operators are part of a parameter's name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from local.carrier.errors import Refused
from local.carrier.record import CallRecord


def matches(call: CallRecord, query: Mapping[str, str]) -> bool:
    """Whether a call is in the list; raises Refused for dates that are none."""
    for name, value in (
        ("To", call.request.to_number),
        ("From", call.request.from_number),
        ("Status", call.status),
        ("ParentCallSid", call.request.parent_sid),
    ):
        if name in query and query[name] != value:
            return False
    for name, moment in (("StartTime", call.answered_at), ("EndTime", call.ended_at)):
        at = moment or (call.created_at if name == "StartTime" else None)
        if f"{name}>" in query and (at is None or at < _moment(query[f"{name}>"])):
            return False
        if f"{name}<" in query and (at is None or at > _moment(query[f"{name}<"])):
            return False
        if name in query and (at is None or at.date() != _moment(query[name]).date()):
            return False
    return True


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Refused(400, 20001, "A date is not valid.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
