"""The carrier's webhooks read: known ones become facts, unknown ones change nothing, wrong addresses are refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from functions.twilio_callbacks.reports import Address, fact_of
from shared.domain.call import FactKind
from shared.domain.errors import InvalidInput

NOW = datetime(2026, 11, 24, 9, 40, tzinfo=UTC)


def address(event: str, attempt: str = "1") -> Address:
    return Address.of({"call_id": "C", "attempt": attempt, "event": event})


@pytest.mark.parametrize(
    ("reported", "kind"),
    [
        ("initiated", FactKind.INITIATED),
        ("ringing", FactKind.RINGING),
        ("in-progress", FactKind.ANSWERED),
        ("completed", FactKind.COMPLETED),
        ("busy", FactKind.BUSY),
        ("no-answer", FactKind.NO_ANSWER),
        ("failed", FactKind.FAILED),
        ("canceled", FactKind.CANCELED),
    ],
)
def test_statuses(reported: str, kind: FactKind) -> None:
    fact = fact_of(address("status", "2"), {"CallStatus": reported, "CallSid": "CA1"}, NOW)
    assert fact is not None
    assert (fact.kind, fact.attempt, fact.detail) == (kind, 2, "CA1")


@pytest.mark.parametrize(
    ("event", "form"),
    [
        (
            "status",
            {"CallStatus": "completed", "Timestamp": "Tue, 24 Nov 2026 09:38:20 +0000"},
        ),
        (
            "stream/1",
            {"StreamEvent": "stream-stopped", "Timestamp": "2026-11-24T09:38:20.000Z"},
        ),
    ],
)
def test_a_report_says_when_the_thing_happened_not_when_it_came(
    event: str, form: dict[str, str]
) -> None:
    arrivals = (NOW, NOW + timedelta(hours=3))
    first, second = (fact_of(address(event), form, arrival) for arrival in arrivals)
    assert first is not None
    assert first.at == datetime(2026, 11, 24, 9, 38, 20, tzinfo=UTC)
    assert first == second


@pytest.mark.parametrize(
    "timestamp", ["", "yesterday", "Tue, 24 Nov 2026 09:42:00 +0000", "2026-11-22T09:40:00Z"]
)
def test_a_time_that_cannot_be_gives_way_to_the_arrival(timestamp: str) -> None:
    form = {"CallStatus": "completed", "Timestamp": timestamp}
    fact = fact_of(address("status"), form, NOW)
    assert fact is not None
    assert fact.at == NOW


@pytest.mark.parametrize(
    ("duration", "seconds"), [("81", 81), ("0", 0), ("", None), ("-1", None), ("a", None)]
)
def test_an_end_keeps_how_long_the_carrier_says_it_was(duration: str, seconds: int | None) -> None:
    form = {"CallStatus": "completed", "CallDuration": duration}
    fact = fact_of(address("status"), form, NOW)
    assert fact is not None
    assert fact.talk_s == seconds


@pytest.mark.parametrize(
    ("event", "form"),
    [
        ("status", {"CallStatus": "teleported"}),
        ("status", {}),
        ("stream/1", {"StreamEvent": "stream-paused"}),
    ],
)
def test_what_is_new_to_us_changes_nothing(event: str, form: dict[str, str]) -> None:
    assert fact_of(address(event), form, NOW) is None


@pytest.mark.parametrize(
    ("reported", "kind"),
    [
        ("stream-started", FactKind.STREAM_STARTED),
        ("stream-stopped", FactKind.STREAM_ENDED),
        ("stream-error", FactKind.STREAM_ENDED),
    ],
)
def test_streams_are_told_apart_by_their_leg(reported: str, kind: FactKind) -> None:
    first, second = (fact_of(address(f"stream/{n}"), {"StreamEvent": reported}, NOW) for n in "12")
    assert first is not None
    assert second is not None
    assert (first.kind, first.detail) == (kind, "1")
    assert first.key != second.key


def test_a_verdict_keeps_its_word() -> None:
    fact = fact_of(address("machine"), {"AnsweredBy": "machine_start"}, NOW)
    assert fact is not None
    assert (fact.kind, fact.detail) == (FactKind.MACHINE_VERDICT, "machine_start")


@pytest.mark.parametrize(
    ("event", "attempt", "field"),
    [
        ("status", "x", "attempt"),
        ("status", "-1", "attempt"),
        ("status", "9999", "attempt"),
        ("status", "²", "attempt"),
        ("surprise", "1", "event"),
        ("", "1", "event"),
        ("stream", "1", "leg"),
        ("stream/one", "1", "leg"),
        ("stream-ended/", "1", "leg"),
    ],
)
def test_addresses_that_we_never_gave(event: str, attempt: str, field: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        address(event, attempt)
    assert refusal.value.field == field
