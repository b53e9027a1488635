"""The REST door's bodies: all values text or null, as the service sends them."""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping, Sequence
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from local.carrier.record import CallRecord, Note
from local.carrier.recordings import Recording
from local.carrier.stream import MediaStream
from local.carrier.webhooks import Exchange

API = "/2010-04-01/Accounts"
_SUBRESOURCES = (
    "notifications",
    "recordings",
    "payments",
    "events",
    "siprec",
    "streams",
    "transcriptions",
    "user_defined_message_subscriptions",
    "user_defined_messages",
)
_WARNINGS = frozenset({12200, 15003, 21262, 31930, 31931, 31950, 31951, 32015})
PAGE_SIZE, PAGE_SIZE_MAX = 50, 1_000


def call_body(account: str, call: CallRecord) -> dict[str, Any]:
    """The call resource."""
    request, path = call.request, f"{API}/{account}/Calls/{call.sid}"
    return {
        "sid": call.sid,
        "account_sid": account,
        "parent_call_sid": request.parent_sid,
        "to": request.to_number,
        "to_formatted": request.to_number,
        "from": request.from_number,
        "from_formatted": request.from_number,
        "phone_number_sid": None,
        "status": call.status,
        "start_time": _date(call.answered_at),
        "end_time": _date(call.ended_at),
        "date_created": _date(call.created_at),
        "date_updated": _date(call.ended_at or call.answered_at or call.created_at),
        "duration": str(call.duration_s) if call.answered_at and call.ended_at else None,
        "price": None if call.price_usd is None else f"{-call.price_usd:.5f}",
        "price_unit": "USD",
        "direction": call.direction,
        "answered_by": call.answered_by,
        "api_version": "2010-04-01",
        "queue_time": str(call.queue_ms),
        "forwarded_from": None,
        "group_sid": None,
        "caller_name": None,
        "trunk_sid": None,
        "uri": f"{path}.json",
        "subresource_uris": {
            name: f"{path}/{''.join(part.capitalize() for part in name.split('_'))}.json"
            for name in _SUBRESOURCES
        },
    }


def note_body(account: str, call: CallRecord, number: int, note: Note) -> dict[str, Any]:
    """A notification. `log`: "0" an error, "1" a warning."""
    sid = f"NO{number:032x}"
    return {
        "sid": sid,
        "account_sid": account,
        "call_sid": call.sid,
        "error_code": str(note.code),
        "log": "1" if note.code in _WARNINGS else "0",
        "message_date": _date(note.at),
        "message_text": urllib.parse.urlencode({"ErrorCode": note.code}),
        "more_info": f"https://www.twilio.com/docs/errors/{note.code}",
        "request_method": "POST",
        "request_url": note.url,
        "api_version": "2010-04-01",
        "date_created": _date(note.at),
        "date_updated": _date(note.at),
        "uri": f"{API}/{account}/Calls/{call.sid}/Notifications/{sid}.json",
    }


def recording_body(account: str, call: CallRecord, recording: Recording) -> dict[str, Any]:
    return {
        "sid": recording.sid,
        "account_sid": account,
        "call_sid": call.sid,
        "conference_sid": None,
        "status": recording.status.value,
        "channels": recording.order.channels,
        "source": recording.source.value,
        "start_time": _date(recording.created_at),
        "duration": None if recording.is_running else str(recording.duration_s),
        "price": None,
        "price_unit": "USD",
        "error_code": None,
        "track": recording.order.track,
        "encryption_details": None,
        "api_version": "2010-04-01",
        "date_created": _date(recording.created_at),
        "date_updated": _date(recording.created_at),
        "uri": f"{API}/{account}/Calls/{call.sid}/Recordings/{recording.sid}.json",
    }


def stream_body(account: str, call: CallRecord, stream: MediaStream) -> dict[str, Any]:
    status = "stopped" if stream.closed.is_set() or stream.by_us else "in-progress"
    return {
        "sid": stream.sid,
        "account_sid": account,
        "call_sid": call.sid,
        "name": stream.name,
        "status": status,
        "date_updated": _date(call.ended_at or call.answered_at),
        "uri": f"{API}/{account}/Calls/{call.sid}/Streams/{stream.sid}.json",
    }


def event_body(exchange: Exchange) -> dict[str, Any]:
    """A request that was made for a call, and its answer."""
    return {
        "request": {
            "method": exchange.method,
            "url": exchange.url,
            "parameters": dict(exchange.form),
        },
        "response": {
            "response_code": exchange.answer.status,
            "content_type": exchange.answer.content_type,
            "response_body": exchange.answer.body,
        },
    }


def page_body(
    name: str, path: str, query: Mapping[str, str], items: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """One page of a list; the SDK follows `next_page_uri`."""
    size = max(1, min(PAGE_SIZE_MAX, _whole(query, "PageSize", PAGE_SIZE)))
    number = _whole(query, "Page", 0)
    part = items[number * size : (number + 1) * size]
    kept = {key: value for key, value in query.items() if key not in ("Page", "PageSize")}

    def uri(page: int) -> str:
        return f"{path}?{urllib.parse.urlencode({**kept, 'PageSize': size, 'Page': page})}"

    return {
        name: list(part),
        "page": number,
        "page_size": size,
        "start": number * size,
        "end": number * size + len(part) - 1,
        "uri": uri(number),
        "first_page_uri": uri(0),
        "next_page_uri": uri(number + 1) if len(items) > (number + 1) * size else None,
        "previous_page_uri": uri(number - 1) if number else None,
    }


def _whole(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, "")
    return int(text) if text.isdigit() else default


def _date(moment: datetime | None) -> str | None:
    return format_datetime(moment) if moment is not None else None
