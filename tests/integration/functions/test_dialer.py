"""Dialling: intent first, one call whatever the carrier says or comes twice, and a way back where it took nothing."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from functions.dialer.app import MAX_ATTEMPTS, Dialer, Dialled
from functions.dialer.pace import LOCKED_OUT_S
from functions.operator_log import operator_log
from local.cloud.template import Template
from shared.adapters.capacity import MediaCapacity
from shared.adapters.carrier import Account, Carrier
from shared.adapters.twiml import Addresses
from shared.domain.call import Call, CallStatus, EndReason, Fact, FactKind
from shared.domain.conversation import Suppression
from tests.integration.functions.scripted_carrier import (
    Reply,
    ScriptedCarrier,
    an_error,
    created,
)
from tests.integration.functions.stage import NOW, NUMBER, OWN_NUMBER, SetClock, TestStage


@pytest.fixture
def stage(template: Template) -> TestStage:
    return TestStage(template, SetClock())


@pytest.fixture
def carrier() -> Iterator[ScriptedCarrier]:
    server = ScriptedCarrier()
    yield server
    server.stop()


@pytest.fixture
def dialer(stage: TestStage, carrier: ScriptedCarrier) -> Dialer:
    return Dialer(
        clock=stage.clock,
        directory=stage.directory,
        live=stage.live,
        gatekeeper=stage.gatekeeper,
        carrier=stage.carrier(carrier.url),
        capacity=MediaCapacity(None),
        addresses=Addresses("https://api.sofia.test", "wss://media.sofia.test/media"),
        token_secret=lambda: b"s" * 32,
        log=operator_log(),
    )


def kinds(call: Call) -> set[FactKind]:
    return {fact.kind for fact in call.facts.values()}


def test_a_call_is_dialled_as_the_carrier_wants_it(
    stage: TestStage, dialer: Dialer, carrier: ScriptedCarrier
) -> None:
    call = stage.queued()
    carrier.will(created("CA7"))
    assert dialer.dial(call.call_id) is Dialled.DONE
    record = stage.live.get(call.call_id)
    assert (record.status, record.carrier_sid) == (CallStatus.DIALING, "CA7")
    (asked,) = carrier.asked
    form = {name: values[0] for name, values in asked.form.items()}
    assert (form["To"], form["From"], form["Timeout"], form["TimeLimit"]) == (
        NUMBER,
        OWN_NUMBER,
        "25",
        "540",
    )
    assert asked.form["StatusCallbackEvent"] == ["initiated", "ringing", "answered", "completed"]
    assert form["AsyncAmd"] == "true"
    assert form["StatusCallback"].endswith(
        f"/twilio/calls/{call.call_id}/1/status#rc=3&rp=5xx,ct,rt"
    )
    assert len(form["Twiml"]) < 4_000
    assert form["Twiml"].count("<Connect") == 2
    assert stage.live.active_calls(stage.tenant_id) == 1
    assert [d.stage.value for d in stage.live.decisions(call.call_id)] == ["dial", "queued"]


def test_a_message_that_comes_often_and_at_once_makes_one_call(
    stage: TestStage, dialer: Dialer, carrier: ScriptedCarrier
) -> None:
    call = stage.queued()
    carrier.will(*(created(f"CA{n}") for n in range(8)))
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: dialer.dial(call.call_id), range(8))) == {Dialled.DONE}
    assert len(carrier.asked) == 1


def test_calls_beyond_the_tenants_slots_wait(
    stage: TestStage, dialer: Dialer, carrier: ScriptedCarrier
) -> None:
    calls = [stage.queued(f"+3460000000{n}") for n in range(5)]
    carrier.will(*(created(f"CA{n}") for n in range(5)))
    with ThreadPoolExecutor(5) as pool:
        results = list(pool.map(lambda call: dialer.dial(call.call_id), calls))
    assert sorted(results) == [Dialled.DONE] * 2 + [Dialled.NOT_NOW] * 3
    assert len(carrier.asked) == 2


def test_a_call_that_waits_does_not_stand_still(
    stage: TestStage, dialer: Dialer, carrier: ScriptedCarrier
) -> None:
    for _ in range(2):
        stage.dialling()
    call = stage.queued()
    now = stage.clock.forward(90)
    assert dialer.dial(call.call_id) is Dialled.NOT_NOW
    assert call.call_id not in set(stage.live.standing_still(now - timedelta(seconds=60)))
    assert stage.live.get(call.call_id) == call


def test_an_objection_while_the_call_waits_is_honoured(
    stage: TestStage, dialer: Dialer, carrier: ScriptedCarrier
) -> None:
    call = stage.queued()
    key = stage.suppressions.number_key(NUMBER)
    stage.suppressions.add(
        Suppression(stage.tenant_id, key, "tenant", "OP-1", NOW, "call", None, None)
    )
    assert dialer.dial(call.call_id) is Dialled.DONE
    record = stage.live.get(call.call_id)
    assert record.status is CallStatus.DENIED
    denied = next(d for d in stage.live.decisions(call.call_id) if d.stage.value == "dial")
    assert denied.reason is not None
    assert denied.reason.value == "SUPPRESSED_TENANT"
    assert not carrier.asked


def test_a_definite_no_ends_the_call_and_frees_the_slot(
    stage: TestStage, dialer: Dialer, carrier: ScriptedCarrier
) -> None:
    call = stage.queued()
    carrier.will(an_error(400, 21211))
    dialer.dial(call.call_id)
    record = stage.live.get(call.call_id)
    refused = record.fact(FactKind.DIAL_REFUSED)
    assert (record.end_reason, refused and refused.detail) == (EndReason.FAILED, "21211")
    assert stage.live.active_calls(stage.tenant_id) == 0


@pytest.mark.parametrize(
    "reply", [an_error(500, 20500), Reply(502, "<html>"), Reply(0), Reply(201, "{cut off")]
)
def test_an_unknown_result_is_never_dialled_again(
    stage: TestStage, dialer: Dialer, carrier: ScriptedCarrier, reply: Reply
) -> None:
    call = stage.queued()
    carrier.will(reply, created("CA2"))
    dialer.dial(call.call_id)
    assert dialer.dial(call.call_id) is Dialled.DONE
    record = stage.live.get(call.call_id)
    assert record.status is CallStatus.DIALING
    assert record.has(FactKind.DIAL_UNKNOWN)
    assert len(carrier.asked) == 1
    assert stage.live.active_calls(stage.tenant_id) == 1


@pytest.mark.parametrize("reply", [an_error(429, 20429), an_error(400, 10004)])
def test_what_the_carrier_did_not_process_is_tried_again_under_a_new_attempt(
    stage: TestStage, dialer: Dialer, carrier: ScriptedCarrier, reply: Reply
) -> None:
    call = stage.queued()
    carrier.will(reply, created("CA2"))
    assert dialer.dial(call.call_id) is Dialled.NOT_NOW
    assert stage.live.active_calls(stage.tenant_id) == 0
    assert dialer.dial(call.call_id) is Dialled.DONE
    record = stage.live.get(call.call_id)
    assert (record.attempt, record.carrier_sid) == (2, "CA2")
    assert stage.live.active_calls(stage.tenant_id) == 1
    assert "/2/status" in carrier.asked[1].form["StatusCallback"][0]


def following(carrier: ScriptedCarrier, asked: list[bool]) -> Carrier:
    """A carrier whose account is asked for; `asked` notes where a fresh copy was wanted."""

    def account(fresh: bool) -> Account:
        asked.append(fresh)
        return Account("AC" + "0" * 32, "new" if any(asked) else "old")

    return Carrier(account, carrier.url)


def test_a_rotated_token_costs_no_call(
    stage: TestStage, dialer: Dialer, carrier: ScriptedCarrier
) -> None:
    asked: list[bool] = []
    rotated = replace(dialer, carrier=following(carrier, asked))
    call = stage.queued()
    carrier.will(an_error(401, 20003), created("CA1"))
    assert rotated.dial(call.call_id) is Dialled.DONE
    record = stage.live.get(call.call_id)
    assert (record.attempt, record.carrier_sid, asked) == (1, "CA1", [False, True])


def test_credentials_that_nobody_accepts_end_no_call_however_long_it_takes(
    stage: TestStage, dialer: Dialer, carrier: ScriptedCarrier
) -> None:
    call = stage.queued()
    for _ in range(MAX_ATTEMPTS + 2):
        carrier.will(an_error(401, 20003), an_error(401, 20003))
        assert dialer.dial(call.call_id) is Dialled.LOCKED_OUT
        assert stage.live.stored(call.call_id).may_dial
        assert stage.live.active_calls(stage.tenant_id) == 0
        stage.clock.forward(LOCKED_OUT_S)
    # Once it is let in, all the others are as well: it may be busy for a moment.
    carrier.will(an_error(429, 20429), created("CA1"))
    assert [dialer.dial(call.call_id) for _ in range(2)] == [Dialled.NOT_NOW, Dialled.DONE]
    assert stage.live.get(call.call_id).carrier_sid == "CA1"


def test_a_carrier_that_nobody_reaches_gets_a_few_attempts(
    stage: TestStage, dialer: Dialer
) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{reserved.getsockname()[1]}"
        unreached = replace(dialer, carrier=stage.carrier(nobody))
        call = stage.queued()
        results = [unreached.dial(call.call_id) for _ in range(MAX_ATTEMPTS)]
    assert results == [Dialled.NOT_NOW] * (MAX_ATTEMPTS - 1) + [Dialled.DONE]
    assert stage.live.get(call.call_id).end_reason is EndReason.FAILED
    assert stage.live.active_calls(stage.tenant_id) == 0


def test_a_call_put_back_is_not_dialled_once_its_window_closed(
    stage: TestStage, dialer: Dialer, carrier: ScriptedCarrier
) -> None:
    call = stage.queued()
    carrier.will(an_error(429, 20429))
    dialer.dial(call.call_id)
    stage.clock.forward(12 * 3_600)
    assert dialer.dial(call.call_id) is Dialled.DONE
    record = stage.live.get(call.call_id)
    assert record.is_settled
    refused = record.fact(FactKind.DIAL_REFUSED)
    assert refused is not None
    assert refused.detail == "OUTSIDE_WINDOW"


def test_a_call_put_back_and_cancelled_is_over_at_once(
    stage: TestStage, dialer: Dialer, carrier: ScriptedCarrier
) -> None:
    call = stage.queued()
    carrier.will(an_error(429, 20429))
    dialer.dial(call.call_id)
    stage.live.command(call.call_id, lambda s: Fact(NOW, s.stopping(), s.call.attempt, "api"))
    assert dialer.dial(call.call_id) is Dialled.DONE
    assert stage.live.get(call.call_id).end_reason is EndReason.CANCELED
    assert len(carrier.asked) == 1


def test_a_cancel_that_came_while_the_carrier_was_asked_is_passed_on(
    stage: TestStage, dialer: Dialer, carrier: ScriptedCarrier
) -> None:
    call = stage.queued()
    carrier.will(created("CA1"), Reply(200, {"sid": "CA1", "status": "canceled"}))

    place = stage.live.begin_dial

    def begin_and_cancel(*arguments: object) -> Call:
        begun = place(*arguments)  # type: ignore[arg-type]
        stage.live.command(call.call_id, lambda s: Fact(NOW, s.stopping(), s.call.attempt, "api"))
        return begun

    stage.live.begin_dial = begin_and_cancel  # type: ignore[method-assign, assignment]
    dialer.dial(call.call_id)
    assert [asked.form.get("Status") for asked in carrier.asked] == [None, ["canceled"]]


def test_without_room_in_the_media_service_nobody_is_called(
    stage: TestStage, dialer: Dialer, carrier: ScriptedCarrier
) -> None:
    call = stage.queued()
    carrier.will(Reply(200, {"free_slots": 0}))
    full = replace(dialer, capacity=MediaCapacity(carrier.url))
    assert full.dial(call.call_id) is Dialled.NOT_NOW
    assert stage.live.get(call.call_id).status is CallStatus.QUEUED
    assert not carrier.asked_to("POST")


def test_a_message_for_no_call_is_done(dialer: Dialer) -> None:
    assert dialer.dial("01JNOSUCHCALL0000000000000") is Dialled.DONE
