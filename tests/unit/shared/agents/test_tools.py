"""Tools: offered only with somebody behind them, checked before anything happens."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from shared.agents import tools
from shared.agents.opening import opening_for
from shared.domain.agent import Agent, InformationChannel, TenantFacts
from shared.domain.outcome import Outcome

NOW = datetime(2026, 11, 24, 9, 40, tzinfo=UTC)
FACTS = TenantFacts(
    "Nubelia", "agenda online", "Laura", "9 a 19", "nueve uno cero", "n.example", "p@n.example",
    ("desde 39 euros al mes",), information_channels=(InformationChannel.EMAIL, InformationChannel.WHATSAPP),
)  # fmt: skip
AGENT = Agent("t", "sofia", 1, "Sofía", FACTS, opening_for(FACTS, "Sofía"))


MADRID, CANARY = ZoneInfo("Europe/Madrid"), ZoneInfo("Atlantic/Canary")


def parse(name: str, **arguments: object) -> tools.ToolCall:
    return tools.parse(name, json.dumps(arguments), AGENT, now=NOW, zones=(MADRID,))


def schedule(at: str, timezone: str = "Europe/Madrid", *zones: ZoneInfo) -> tools.ScheduleCallback:
    arguments = {"kind": "demo", "at": at, "timezone": timezone, "with": "human"}
    call = tools.parse(
        "schedule_callback", json.dumps(arguments), AGENT, now=NOW, zones=zones or (MADRID,)
    )
    assert isinstance(call, tools.ScheduleCallback)
    return call


def test_no_promise_without_somebody_who_keeps_it() -> None:
    bare = replace(AGENT, facts=replace(FACTS, information_channels=(), privacy_email=""))
    names = {tool.name for tool in tools.offered(bare)}
    assert names.isdisjoint(
        {"send_information", "report_privacy_request", "transfer_to_human", "send_dtmf"}
    )
    assert {"register_opt_out", "end_call", "schedule_callback"} <= names


def test_a_transfer_is_offered_only_where_it_can_be_carried_out() -> None:
    reachable = replace(AGENT, facts=replace(FACTS, transfer_number="+34910000001"))
    assert "transfer_to_human" not in {tool.name for tool in tools.offered(reachable)}
    offered = tools.offered(reachable, can_transfer=True)
    assert "transfer_to_human" in {tool.name for tool in offered}
    assert tools.offered(AGENT, can_transfer=True) == tools.offered(AGENT)


def test_a_transfer_that_was_not_offered_is_refused() -> None:
    with pytest.raises(tools.InvalidToolCall, match="transfer_to_human"):
        parse("transfer_to_human", reason="lo pide")


def test_a_callback_in_time_is_taken() -> None:
    call = schedule("2026-11-26T11:00:00+01:00")
    assert (call.at.isoformat(), call.timezone) == ("2026-11-26T11:00:00+01:00", "Europe/Madrid")


@pytest.mark.parametrize(
    ("at", "why"),
    [
        ("2026-11-28T11:00:00+01:00", "fin de semana"),
        ("2026-11-26T21:30:00+01:00", "20:45"),
        ("2026-11-26T08:59:00+01:00", "09:00"),
        ("2026-11-24T09:00:00+01:00", "pasado"),
        ("2026-11-26T11:00:00", "desfase"),
        ("2026-11-26T11:00:00-05:00", r"\+01:00"),
        ("el jueves", "ISO"),
        ("2029-11-26T11:00:00+01:00", "lejos"),
    ],
)
def test_impossible_times_are_explained_to_the_model(at: str, why: str) -> None:
    with pytest.raises(tools.InvalidToolCall, match=why):
        schedule(at)


def test_another_zone_than_the_persons_is_refused() -> None:
    with pytest.raises(tools.InvalidToolCall, match="Europe/Madrid"):
        schedule("2026-11-26T16:30:00-05:00", "America/Lima")


def test_the_window_is_that_of_the_canaries_for_somebody_there() -> None:
    assert schedule("2026-11-26T20:45:00+00:00", "Atlantic/Canary", CANARY).at.hour == 20
    with pytest.raises(tools.InvalidToolCall, match="09:00"):
        schedule("2026-11-26T08:30:00+00:00", "Atlantic/Canary", CANARY)


def test_where_the_place_is_unknown_the_hour_must_be_allowed_in_both_zones() -> None:
    assert schedule("2026-11-26T10:00:00+01:00", "Europe/Madrid", MADRID, CANARY)
    with pytest.raises(tools.InvalidToolCall, match="entre las 10:00 y las 20:45"):
        schedule("2026-11-26T09:30:00+01:00", "Europe/Madrid", MADRID, CANARY)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("drop_table", {}),
        ("end_call", {}),
        ("end_call", {"outcome": "won"}),
        ("end_call", {"outcome": "qualified", "extra": 1}),
        ("register_opt_out", {"scope": "everybody", "quote": "x"}),
        ("send_information", {"channel": "email", "address": "montse arroba"}),
        ("send_information", {"channel": "whatsapp", "address": "600"}),
        ("save_lead_info", {}),
        ("save_lead_info", {"staff_count": "tres"}),
    ],
)
def test_broken_calls_are_refused(name, arguments) -> None:
    with pytest.raises(tools.InvalidToolCall):
        parse(name, **arguments)


def test_arguments_that_are_no_json_are_refused() -> None:
    with pytest.raises(tools.InvalidToolCall, match="JSON"):
        tools.parse("end_call", "{outcome", AGENT, now=NOW, zones=(MADRID,))


def test_an_end_names_its_outcome() -> None:
    assert parse("end_call", outcome="qualified") == tools.EndCall(Outcome.QUALIFIED)
