"""The carrier's callbacks over real HTTP: signed or refused, in any order, and a way on where a stream was lost."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import aiohttp
import pytest

from functions.twilio_callbacks import handler as twilio_callbacks
from local.carrier.webhooks import signature
from local.cloud.gateway import Gateway
from local.cloud.invoke import Invoker
from local.cloud.template import Route, Template
from shared.adapters import aws_clients
from shared.adapters.call_report import report_of
from shared.adapters.clock import CLOCK_FILE_VARIABLE, SharedClock
from shared.adapters.live_reader import LiveReader
from shared.adapters.twiml import MAX_LEGS
from shared.domain.call import Call, CallStatus, EndReason, Fact, FactKind
from tests.integration.functions.stage import NOW, SetClock, TestStage

ORIGIN = "https://api.sofia.test"


@pytest.fixture
def stage(template: Template) -> TestStage:
    return TestStage(template, SetClock())


@pytest.fixture
async def api(template: Template) -> AsyncIterator[Gateway]:
    invoker = Invoker(template.functions())
    routes = [e for e in template.events() if isinstance(e, Route)]
    gateway = Gateway(routes, template.authorizer(), invoker)
    await gateway.start()
    yield gateway
    await gateway.stop()
    invoker.stop()


@pytest.fixture
async def late_api(
    template: Template, tmp_path: Path
) -> AsyncIterator[tuple[Gateway, SharedClock]]:
    """An API whose functions take the time from a clock that the test sets."""
    clock = {CLOCK_FILE_VARIABLE: str(tmp_path / "clock")}
    functions = {
        name: replace(function, environment={**function.environment, **clock})
        for name, function in template.functions().items()
    }
    # The function composes itself once in a process, with the clock it finds.
    twilio_callbacks.compose.cache_clear()
    invoker = Invoker(functions)
    routes = [e for e in template.events() if isinstance(e, Route)]
    gateway = Gateway(routes, template.authorizer(), invoker)
    await gateway.start()
    yield gateway, SharedClock(tmp_path / "clock")
    await gateway.stop()
    invoker.stop()
    twilio_callbacks.compose.cache_clear()


async def send(api: Gateway, path: str, token: str = "token", **form: str) -> tuple[int, str]:
    """A signed webhook; gives status and body."""
    fields = {"CallSid": "CA1", "CallerName": "", **form}
    headers = {"X-Twilio-Signature": signature(token, f"{ORIGIN}{path}", fields)}
    async with (
        aiohttp.ClientSession() as session,
        session.post(api.url + path, data=fields, headers=headers) as response,
    ):
        return response.status, await response.text()


def path_of(call: Call, event: str) -> str:
    return f"/twilio/calls/{call.call_id}/1/{event}"


def verbs(document: str) -> list[str]:
    return [verb.tag for verb in ElementTree.fromstring(document)]


async def test_a_lost_stream_of_a_call_in_talk_gets_another_leg(
    api: Gateway, stage: TestStage
) -> None:
    call = stage.dialling(FactKind.ANSWERED, FactKind.STREAM_STARTED, sid="CA1")
    status, document = await send(api, path_of(call, "stream-ended/2"))
    assert (status, verbs(document)) == (200, ["Connect", "Hangup"])
    assert "stream-ended/3" in document


@pytest.mark.parametrize(
    "kind",
    [
        FactKind.COMPLETED,
        FactKind.CONVERSATION_CLOSED,
        FactKind.HANG_UP_REQUESTED,
        FactKind.CANCEL_REQUESTED,
    ],
)
async def test_a_call_that_is_over_or_closing_hangs_up(
    api: Gateway, stage: TestStage, kind: FactKind
) -> None:
    call = stage.dialling(FactKind.ANSWERED, FactKind.STREAM_STARTED, kind, sid="CA1")
    _, document = await send(api, path_of(call, "stream-ended/2"))
    assert verbs(document) == ["Hangup"]


async def test_the_last_leg_ends_the_call_as_dropped(api: Gateway, stage: TestStage) -> None:
    call = stage.dialling(FactKind.ANSWERED, FactKind.STREAM_STARTED, sid="CA1")
    _, document = await send(api, path_of(call, f"stream-ended/{MAX_LEGS}"))
    assert verbs(document) == ["Hangup"]
    await send(api, path_of(call, "status"), CallStatus="completed")
    assert stage.live.get(call.call_id).end_reason is EndReason.DROPPED


async def test_a_stream_that_ends_for_no_call_is_hung_up_and_not_explained(api: Gateway) -> None:
    status, document = await send(api, "/twilio/calls/01JNOSUCHCALL/1/stream-ended/2")
    assert (status, verbs(document)) == (200, ["Hangup"])


async def test_streams_and_verdict_become_facts(api: Gateway, stage: TestStage) -> None:
    call = stage.dialling(FactKind.ANSWERED, sid="CA1")
    for event in ("stream-started", "stream-stopped", "stream-started"):
        status, body = await send(api, path_of(call, "stream/1"), StreamEvent=event)
        assert (status, body) == (204, "")
    await send(api, path_of(call, "machine"), AnsweredBy="machine_start")
    record = stage.live.get(call.call_id)
    verdict = record.fact(FactKind.MACHINE_VERDICT)
    assert verdict is not None
    assert verdict.detail == "machine_start"
    assert len([f for f in record.facts.values() if f.kind is FactKind.STREAM_STARTED]) == 1


async def test_a_report_that_comes_before_the_dialers_own_brings_the_carriers_id(
    api: Gateway, stage: TestStage
) -> None:
    call = stage.dialling()
    await send(api, path_of(call, "status"), CallStatus="initiated")
    assert stage.live.get(call.call_id).carrier_sid == "CA1"
    late = Fact(NOW, FactKind.DIAL_ACCEPTED, 1, "dialer", "CA1")
    assert stage.live.record(call.call_id, [late]).carrier_sid == "CA1"


async def test_a_late_ring_does_not_wake_the_dead(api: Gateway, stage: TestStage) -> None:
    call = stage.dialling(FactKind.BUSY, sid="CA1")
    assert stage.live.active_calls(stage.tenant_id) == 0
    assert (await send(api, path_of(call, "status"), CallStatus="ringing"))[0] == 204
    assert stage.live.get(call.call_id).status is CallStatus.ENDED
    assert stage.live.active_calls(stage.tenant_id) == 0


@pytest.mark.parametrize("event", ["surprise", "stream/one", "stream-ended/x"])
async def test_addresses_that_we_never_gave_are_refused(
    api: Gateway, stage: TestStage, event: str
) -> None:
    call = stage.dialling()
    assert (await send(api, path_of(call, event)))[0] == 400


async def test_an_unsigned_document_is_not_given(api: Gateway, stage: TestStage) -> None:
    call = stage.dialling(FactKind.ANSWERED)
    status, body = await send(api, path_of(call, "stream-ended/2"), token="forged")
    assert status == 403
    assert "token" not in body


async def test_a_token_that_was_rotated_reaches_a_warm_function(
    api: Gateway, stage: TestStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    import boto3

    call = stage.dialling()
    await send(api, path_of(call, "status"), CallStatus="initiated")
    secrets = boto3.client("secretsmanager")
    secret_id = stage.template.physical["TwilioSecret"]
    before = secrets.get_secret_value(SecretId=secret_id)["SecretString"]
    both = before.replace('"token"', '"token", "auth_token_secondary": "token-2"')
    secrets.put_secret_value(SecretId=secret_id, SecretString=both)
    try:
        assert (await send(api, path_of(call, "status"), "token-2", CallStatus="ringing"))[0] == 403
        monkeypatch.setattr("shared.adapters.secrets.KEEP_S", 0.0)
        assert (await send(api, path_of(call, "status"), "token-2", CallStatus="ringing"))[0] == 204
    finally:
        secrets.put_secret_value(SecretId=secret_id, SecretString=before)


def after(seconds: int) -> datetime:
    return NOW + timedelta(seconds=seconds)


def status_at(seconds: int, status: str, **more: str) -> tuple[str, dict[str, str]]:
    return "status", {
        "CallStatus": status,
        "Timestamp": format_datetime(after(seconds)),
        **more,
    }


def stream_at(seconds: int, event: str) -> tuple[str, dict[str, str]]:
    return "stream/1", {"StreamEvent": event, "Timestamp": after(seconds).isoformat()}


REPORTS = (
    status_at(1, "initiated"),
    status_at(3, "ringing"),
    status_at(14, "in-progress"),
    stream_at(14, "stream-started"),
    ("machine", {"AnsweredBy": "human"}),
    stream_at(94, "stream-stopped"),
    status_at(95, "completed", CallDuration="81"),
)


async def told_after(
    late_api: tuple[Gateway, SharedClock], template: Template, chance: random.Random | None
) -> tuple[dict[str, Any], dict[str, datetime]]:
    """The report and the carrier's moments of a call whose reports came in order and at once, or by `chance`."""
    api, clock = late_api
    stage = TestStage(template, SetClock())
    call = stage.dialling()
    order = [*REPORTS]
    if chance is not None:
        order += chance.sample(REPORTS, 4)
        chance.shuffle(order)
    for event, form in order:
        clock.set_now(after(96 + (chance.randrange(10_000) if chance is not None else 0)))
        assert (await send(api, path_of(call, event), **form))[0] == 204
    reader = LiveReader(aws_clients.dynamodb(), template.physical["LiveTable"])
    whole = reader.read(call.call_id)
    report = {**report_of(whole), "call_id": "", "tenant_id": ""}
    known = {
        key: fact.at
        for key, fact in whole.call.facts.items()
        if fact.source == "twilio" and fact.kind is not FactKind.MACHINE_VERDICT
    }
    return report, known


async def test_in_any_order_twice_and_late_the_same_reports_tell_the_same(
    late_api: tuple[Gateway, SharedClock], template: Template
) -> None:
    expected = await told_after(late_api, template, None)
    report, _ = expected
    assert (report["answered_at"], report["ended_at"], report["talk_s"]) == (
        after(14).isoformat(),
        after(95).isoformat(),
        81.0,
    )
    assert report["cost_usd"]["carrier.mobile"] == pytest.approx(2 * 0.0486)
    for seed in range(8):
        assert await told_after(late_api, template, random.Random(seed)) == expected
