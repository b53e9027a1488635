"""Creating and stopping calls where things go wrong in between: each step can be repeated, no wish gets lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import boto3
import pytest

from functions.call_creation.app import CallDenied, CallDesk
from functions.call_creation.requests import CallBody
from functions.operator_log import operator_log
from functions.parsing import parsed
from local.cloud.template import Template
from shared.adapters import aws_clients
from shared.adapters.call_rate import CallRate
from shared.adapters.dial_queue import DialQueue
from shared.domain.call import CallStatus, EndReason, Fact, FactKind
from shared.domain.errors import (
    CommandRefused,
    InvalidInput,
    KeyReused,
    NotFound,
    TooManyCalls,
)
from shared.domain.tenant import CallerId, Purpose
from tests.integration.functions.scripted_carrier import Reply, ScriptedCarrier, an_error
from tests.integration.functions.stage import NOW, NUMBER, OWN_NUMBER, SetClock, TestStage


@pytest.fixture
def stage(template: Template) -> TestStage:
    stage = TestStage(template, SetClock())
    sqs = boto3.client("sqs")
    stage.queue = DialQueue(sqs, sqs.create_queue(QueueName=stage.tenant_id)["QueueUrl"])
    return stage


@pytest.fixture
def carrier() -> Iterator[ScriptedCarrier]:
    server = ScriptedCarrier()
    yield server
    server.stop()


@pytest.fixture
def desk(stage: TestStage, carrier: ScriptedCarrier) -> CallDesk:
    return CallDesk(
        clock=stage.clock,
        directory=stage.directory,
        live=stage.live,
        rate=CallRate(aws_clients.dynamodb(), stage.template.physical["LiveTable"]),
        gatekeeper=stage.gatekeeper,
        queue=stage.queue,
        carrier=stage.carrier(carrier.url),
        log=operator_log(),
    )


def wanted(**changes: object) -> CallBody:
    consent = {"basis": "consent_automated", "source": "formulario web", "at": "2026-11-01"}
    lead = {"contact_name": "Carmen", "timezone": "Europe/Madrid", "consent": consent}
    return parsed(CallBody, {"to": NUMBER, "lead": lead, **changes})


def test_a_call_is_queued_with_the_tenants_own_number(desk: CallDesk, stage: TestStage) -> None:
    call = desk.create(stage.tenant_id, wanted(), "k1")
    assert (call.status, call.from_number) == (CallStatus.QUEUED, OWN_NUMBER)
    assert stage.live.get(call.call_id) == call
    assert stage.queue.backlog() == 1


def test_a_number_may_be_written_as_people_write_it(desk: CallDesk, stage: TestStage) -> None:
    body = wanted(**{"to": "+34 600 00 00 01", "from": "0034 400 000 012"})
    call = desk.create(stage.tenant_id, body, "k1")
    assert (call.to_number, call.from_number) == (NUMBER, OWN_NUMBER)


def holding(stage: TestStage, *caller_ids: CallerId) -> None:
    tenant = stage.directory.tenant(stage.tenant_id)
    stage.directory.put_tenant(replace(tenant, caller_ids=caller_ids))


def test_the_number_shown_is_the_first_that_commercial_calls_may_show(
    desk: CallDesk, stage: TestStage
) -> None:
    service = CallerId("+34400000099", Purpose.SERVICE)
    holding(stage, service, CallerId("+34910000001"), CallerId(OWN_NUMBER))
    assert desk.create(stage.tenant_id, wanted(), "k1").from_number == OWN_NUMBER
    holding(stage, service, CallerId("+34910000001"))
    with pytest.raises(InvalidInput, match="caller ID") as refused:
        desk.create(stage.tenant_id, wanted(), "k2")
    assert refused.value.field == "from"


def test_a_repetition_is_the_first_call_though_the_tenant_has_other_defaults_by_now(
    desk: CallDesk, stage: TestStage
) -> None:
    call = desk.create(stage.tenant_id, wanted(), "k1")
    holding(stage, CallerId("+34400000077"), CallerId(OWN_NUMBER))
    agent = stage.directory.agent(stage.tenant_id, "sofia", 1)
    stage.directory.put_agent(replace(agent, agent_id="otra"))
    tenant = stage.directory.tenant(stage.tenant_id)
    stage.directory.put_tenant(replace(tenant, current_agent="otra"))
    assert desk.create(stage.tenant_id, wanted(), "k1") == call
    with pytest.raises(KeyReused):
        desk.create(stage.tenant_id, wanted(**{"from": "+34400000077"}), "k1")


def test_a_new_call_keeps_to_the_approved_version_while_a_newer_one_waits(
    desk: CallDesk, stage: TestStage
) -> None:
    agent = stage.directory.agent(stage.tenant_id, "sofia", 1)
    waiting = replace(agent.opening, approved_at=None)
    stage.directory.put_agent(replace(agent, version=2, opening=waiting))
    call = desk.create(stage.tenant_id, wanted(), "k1")
    assert (call.agent_version, call.status) == (1, CallStatus.QUEUED)


def test_a_repetition_after_a_crash_gives_the_first_call_whatever_the_clock_says(
    desk: CallDesk, stage: TestStage
) -> None:
    call = desk.create(stage.tenant_id, wanted(), "k1")
    # By now the window is closed: what was allowed then stays allowed until it is dialled.
    stage.clock.forward(14 * 3_600)
    assert desk.create(stage.tenant_id, wanted(), "k1") == call


def test_a_denied_call_stays_denied_when_it_is_asked_for_again(
    desk: CallDesk, stage: TestStage
) -> None:
    stage.clock.forward(14 * 3_600)
    with pytest.raises(CallDenied) as first:
        desk.create(stage.tenant_id, wanted(), "k1")
    stage.clock.forward(10 * 3_600)
    with pytest.raises(CallDenied) as second:
        desk.create(stage.tenant_id, wanted(), "k1")
    assert (first.value.call_id, first.value.reason) == (second.value.call_id, second.value.reason)
    assert first.value.retry_at is not None


def test_a_key_that_stands_for_another_call_never_gives_that_one(
    desk: CallDesk, stage: TestStage
) -> None:
    desk.create(stage.tenant_id, wanted(), "k1")
    with pytest.raises(KeyReused):
        desk.create(stage.tenant_id, wanted(to="+34600000002"), "k1")


def test_the_same_key_of_two_tenants_makes_two_calls(
    desk: CallDesk, stage: TestStage, template: Template
) -> None:
    other = TestStage(template, stage.clock)
    one = desk.create(stage.tenant_id, wanted(), "k1")
    assert desk.create(other.tenant_id, wanted(), "k1").call_id != one.call_id


def test_too_many_calls_in_a_minute_are_refused_before_they_exist(
    desk: CallDesk, stage: TestStage
) -> None:
    tenant = stage.directory.tenant(stage.tenant_id)
    stage.directory.put_tenant(replace(tenant, calls_per_minute=2))
    for key in ("k1", "k2"):
        desk.create(stage.tenant_id, wanted(), key)
    with pytest.raises(TooManyCalls):
        desk.create(stage.tenant_id, wanted(), "k3")
    assert len(stage.live.of_tenant(stage.tenant_id, 10)) == 2


def test_a_tenant_without_an_agent_is_told_so(desk: CallDesk, stage: TestStage) -> None:
    tenant = stage.directory.tenant(stage.tenant_id)
    stage.directory.put_tenant(replace(tenant, current_agent=None))
    with pytest.raises(InvalidInput, match="facts"):
        desk.create(stage.tenant_id, wanted(), "k1")


def test_a_waiting_call_is_cancelled_without_the_carrier(
    desk: CallDesk, stage: TestStage, carrier: ScriptedCarrier
) -> None:
    call = stage.queued()
    assert desk.stop(stage.tenant_id, call.call_id).end_reason is EndReason.CANCELED
    with pytest.raises(CommandRefused):
        desk.stop(stage.tenant_id, call.call_id)
    assert not carrier.asked


def test_a_call_in_talk_is_hung_up(
    desk: CallDesk, stage: TestStage, carrier: ScriptedCarrier
) -> None:
    call = stage.dialling(FactKind.DIAL_ACCEPTED, FactKind.ANSWERED, sid="CA1")
    carrier.will(Reply(200, {"sid": "CA1", "status": "completed"}))
    assert desk.stop(stage.tenant_id, call.call_id).has(FactKind.HANG_UP_REQUESTED)
    assert [asked.form["Status"] for asked in carrier.asked] == [["completed"]]


def test_a_ringing_call_that_is_answered_meanwhile_is_hung_up(
    desk: CallDesk, stage: TestStage, carrier: ScriptedCarrier
) -> None:
    call = stage.dialling(FactKind.DIAL_ACCEPTED, FactKind.RINGING, sid="CA1")
    carrier.will(
        Reply(200, {"sid": "CA1", "status": "in-progress"}),
        Reply(200, {"sid": "CA1", "status": "completed"}),
    )
    desk.stop(stage.tenant_id, call.call_id)
    assert [asked.form["Status"] for asked in carrier.asked] == [["canceled"], ["completed"]]


def test_the_wish_stays_on_record_where_the_carrier_does_not_answer(
    desk: CallDesk, stage: TestStage, carrier: ScriptedCarrier
) -> None:
    call = stage.dialling(FactKind.DIAL_ACCEPTED, FactKind.ANSWERED, sid="CA1")
    carrier.will(an_error(503, 20500))
    assert desk.stop(stage.tenant_id, call.call_id).status is CallStatus.IN_PROGRESS
    assert stage.live.get(call.call_id).has(FactKind.HANG_UP_REQUESTED)


def test_another_tenants_call_cannot_be_stopped(desk: CallDesk, stage: TestStage) -> None:
    call = stage.queued()
    with pytest.raises(NotFound):
        desk.stop("t-stranger", call.call_id)
    assert stage.live.get(call.call_id) == call


def test_a_call_that_is_dialled_in_the_same_moment_is_not_declared_cancelled(
    desk: CallDesk, stage: TestStage
) -> None:
    call = stage.queued()
    read = stage.live.stored
    dialled: list[str] = []

    def read_then_somebody_dials(call_id: str) -> object:
        stored = read(call_id)
        if len(dialled) == 1:
            intent = Fact(NOW, FactKind.DIAL_INTENT, 1, "dialer")
            stage.live.stored = read  # type: ignore[method-assign]
            stage.live.begin_dial(call_id, intent, stage.live.decisions(call_id)[0], 2)
        dialled.append(call_id)
        return stored

    stage.live.stored = read_then_somebody_dials  # type: ignore[method-assign, assignment]
    stopped = desk.stop(stage.tenant_id, call.call_id)
    assert stopped.status is CallStatus.DIALING
    assert stopped.has(FactKind.CANCEL_REQUESTED)
    assert not stopped.has(FactKind.CANCELED)
