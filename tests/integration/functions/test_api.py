"""The API over real HTTP: each bad request gets a clear answer and disturbs nobody."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from local.carrier.webhooks import signature
from local.cloud.gateway import Gateway
from local.cloud.invoke import Invoker
from local.cloud.template import Route, Template
from shared.adapters import aws_clients
from shared.adapters.directory import Directory, create_key
from shared.adapters.live_calls import LiveCalls
from shared.adapters.suppressions import Suppressions
from shared.agents.opening import opening_for
from shared.domain.agent import Agent, TenantFacts
from shared.domain.call import Call, CallStatus, Fact, FactKind
from shared.domain.conversation import Suppression
from shared.domain.gate import Decision, Stage
from shared.domain.lead import Lead
from shared.domain.tenant import CallerId, Scope, Tenant

NOW = datetime.now(UTC)
FACTS = TenantFacts(
    "Nubelia", "agenda", "Laura", "9 a 19", "nueve uno cero", "n.example", "p@n.example", ()
)
CONSENT = {"basis": "consent_automated", "source": "formulario web", "at": "2026-11-01"}
NUMBER = "+34600000001"


@pytest.fixture
async def api(template: Template) -> AsyncIterator[Gateway]:
    events = template.events()
    invoker = Invoker(template.functions())
    gateway = Gateway([e for e in events if isinstance(e, Route)], template.authorizer(), invoker)
    await gateway.start()
    yield gateway
    await gateway.stop()
    invoker.stop()


def a_tenant(template: Template, tenant_id: str, *scopes: Scope) -> str:
    """A tenant that may call; gives its key."""
    directory = Directory(aws_clients.dynamodb(), template.physical["DirectoryTable"])
    ids = (CallerId("+34400000012"),)
    directory.put_tenant(Tenant(tenant_id, "Nubelia", NOW, caller_ids=ids, current_agent="sofia"))
    opening = opening_for(FACTS, "Sofía")
    directory.put_agent(Agent(tenant_id, "sofia", 1, "Sofía", FACTS, opening), new=False)
    wanted = scopes or (Scope.CALLS_READ, Scope.CALLS_WRITE)
    return create_key(directory, tenant_id, wanted, NOW)[0]


async def ask(
    api: Gateway,
    method: str,
    path: str,
    key: str | None = None,
    body: Any = None,
    raw: bytes | None = None,
    **headers: str,
) -> tuple[int, Any]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if key is not None:
        sent["Authorization"] = f"Bearer {key}"
    data = raw if raw is not None else (json.dumps(body).encode() if body is not None else None)
    sent.setdefault("Content-Type", "application/json")
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, api.url + path, data=data, headers=sent) as response,
    ):
        text = await response.text()
        return response.status, json.loads(text) if text.startswith(("{", "[")) else text


def a_call(**changes: Any) -> dict[str, Any]:
    return {
        "to": NUMBER,
        "lead": {"contact_name": "Carmen", "timezone": "Europe/Madrid", "consent": CONSENT},
        **changes,
    }


async def test_without_a_key_and_with_a_wrong_one(api: Gateway) -> None:
    assert await ask(api, "GET", "/v1/calls") == (401, {"message": "Unauthorized"})
    status, _ = await ask(api, "GET", "/v1/calls", "sk_wrong")
    assert status == 403
    assert (await ask(api, "GET", "/v1/nowhere", "sk_wrong"))[0] == 404


async def test_a_key_without_the_scope(api: Gateway, template: Template) -> None:
    key = a_tenant(template, "t-reader", Scope.CALLS_READ)
    status, problem = await ask(api, "POST", "/v1/calls", key, a_call(), Idempotency_Key="1")
    assert status == 403
    assert "calls:write" in problem["detail"]


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (b"{not json", "body"),
        (b"[]", "body"),
        (json.dumps(a_call(surprise=1)).encode(), "surprise"),
        (json.dumps(a_call(to="600")).encode(), "to"),
        (json.dumps(a_call(to=7)).encode(), "to"),
        (json.dumps({"lead": {}}).encode(), "to"),
        (json.dumps(a_call(lead={"timezone": "Mars/North"})).encode(), "lead.timezone"),
        (
            json.dumps(a_call(lead={"consent": {**CONSENT, "at": "ayer"}})).encode(),
            "lead.consent.at",
        ),
        (
            json.dumps(a_call(lead={"consent": {**CONSENT, "at": 1_700_000_000}})).encode(),
            "lead.consent.at",
        ),
        (
            json.dumps(a_call(lead={"consent": {**CONSENT, "at": "2026-11-01T10:00"}})).encode(),
            "lead.consent.at",
        ),
        (
            json.dumps(a_call(lead={"consent": {**CONSENT, "withdrawn_at": 0}})).encode(),
            "lead.consent.withdrawn_at",
        ),
        (
            json.dumps(a_call(lead={"consent": {**CONSENT, "source": "Google Maps"}})).encode(),
            "lead.consent.source",
        ),
        (
            json.dumps(a_call(lead={"consent": {**CONSENT, "channel": "directory"}})).encode(),
            "lead.consent.channel",
        ),
        (json.dumps(a_call(lead={"timezone": "America/Lima"})).encode(), "lead.timezone"),
        (json.dumps(a_call(to="+346٠٠٠٠٠٠٠١")).encode(), "to"),
    ],
)
async def test_bad_bodies_name_the_field_and_not_the_value(
    api: Gateway, template: Template, raw: bytes, field: str
) -> None:
    key = a_tenant(template, "t-bodies")
    status, problem = await ask(
        api, "POST", "/v1/calls", key, raw=raw, Idempotency_Key=str(hash(raw))
    )
    assert status == 400
    assert problem["errors"][0]["field"].startswith(field)
    assert "Mars" not in json.dumps(problem)


@pytest.mark.parametrize("size", [300_000, 6_100_000])
async def test_a_body_that_is_too_long_for_us_and_one_that_is_for_lambda(
    api: Gateway, template: Template, size: int
) -> None:
    key = a_tenant(template, "t-large")
    raw = b'{"to": "' + b"9" * size + b'"}'
    status, _ = await ask(api, "POST", "/v1/calls", key, raw=raw, Idempotency_Key="1")
    assert status == 413


async def test_a_callback_that_is_too_long_is_not_even_checked_for_its_signature(
    api: Gateway, template: Template
) -> None:
    path, form = "/twilio/calls/c1/1/status", "application/x-www-form-urlencoded"
    for raw, refused in ((b"a=" + b"9" * 300_000, 413), (b"a=9", 403)):
        assert (await ask(api, "POST", path, raw=raw, Content_Type=form))[0] == refused


@pytest.mark.parametrize(
    "at",
    ["2026-11-01", "2026-11-01T10:00:00+01:00", "2026-11-01T09:00:00Z", "2026-11-01T09:00:00.5Z"],
)
async def test_consent_with_a_day_or_with_a_time_of_day(
    api: Gateway, template: Template, at: str
) -> None:
    key = a_tenant(template, "t-consent")
    # Denied, because its opening is not approved; the consent was taken.
    lead = {"contact_name": "Carmen", "consent": {**CONSENT, "at": at, "channel": "web_form"}}
    status, problem = await ask(
        api, "POST", "/v1/calls", key, a_call(lead=lead), Idempotency_Key=at
    )
    assert status == 422
    assert not problem["reason"].startswith(("NO_CONSENT", "CONSENT"))
    live = LiveCalls(aws_clients.dynamodb(), template.physical["LiveTable"])
    consent = live.get(problem["call_id"]).lead.consent
    assert consent is not None
    assert consent.at.date().isoformat() == "2026-11-01"
    assert consent.at.hour == (0 if at == "2026-11-01" else 9)


async def test_a_consent_that_was_withdrawn_is_sent_as_such(
    api: Gateway, template: Template
) -> None:
    key = a_tenant(template, "t-withdrawn")
    consent = {**CONSENT, "withdrawn_at": "2026-11-10T12:00:00+01:00"}
    status, problem = await ask(
        api, "POST", "/v1/calls", key, a_call(lead={"consent": consent}), Idempotency_Key="1"
    )
    assert (status, problem["reason"]) == (422, "CONSENT_WITHDRAWN")


async def test_an_id_that_no_call_can_have_is_not_there(api: Gateway, template: Template) -> None:
    key = a_tenant(template, "t-ids")
    for call_id in ("x" * 3_000, "CALL%231", "%C3%B1"):
        for method in ("GET", "DELETE"):
            assert (await ask(api, method, f"/v1/calls/{call_id}", key))[0] == 404


async def test_an_idempotency_key_is_wanted(api: Gateway, template: Template) -> None:
    key = a_tenant(template, "t-nokey")
    status, problem = await ask(api, "POST", "/v1/calls", key, a_call())
    assert (status, problem["errors"][0]["field"]) == (400, "Idempotency-Key")


async def test_a_denied_call_says_why_and_is_on_record(api: Gateway, template: Template) -> None:
    key = a_tenant(template, "t-denied")
    status, problem = await ask(api, "POST", "/v1/calls", key, a_call(lead={}), Idempotency_Key="1")
    assert (status, problem["reason"]) == (422, "NO_CONSENT")
    status, report = await ask(api, "GET", f"/v1/calls/{problem['call_id']}", key)
    assert (status, report["status"]) == (200, "denied")
    assert report["decisions"][0]["reason"] == "NO_CONSENT"


async def test_a_suppressed_number_is_denied(api: Gateway, template: Template) -> None:
    key = a_tenant(template, "t-suppressed")
    suppressions = Suppressions(aws_clients.dynamodb(), template.physical["LeadsTable"], b"h" * 32)
    number_key = suppressions.number_key(NUMBER)
    suppressions.add(
        Suppression("t-suppressed", number_key, "tenant", "OP-1", NOW, "api", None, None)
    )
    status, problem = await ask(api, "POST", "/v1/calls", key, a_call(), Idempotency_Key="1")
    assert (status, problem["reason"]) == (422, "SUPPRESSED_TENANT")


async def test_the_same_request_gives_the_same_answer_and_another_one_is_refused(
    api: Gateway, template: Template
) -> None:
    key = a_tenant(template, "t-idem")
    first = await ask(api, "POST", "/v1/calls", key, a_call(lead={}), Idempotency_Key="k1")
    assert await ask(api, "POST", "/v1/calls", key, a_call(lead={}), Idempotency_Key="k1") == first
    status, problem = await ask(
        api, "POST", "/v1/calls", key, a_call(metadata={"a": "b"}), Idempotency_Key="k1"
    )
    assert status == 422
    assert "another request" in problem["errors"][0]["message"]


async def test_ten_at_once_under_one_key_make_one_call(api: Gateway, template: Template) -> None:
    key = a_tenant(template, "t-storm")
    answers = await asyncio.gather(
        *(
            ask(api, "POST", "/v1/calls", key, a_call(lead={}), Idempotency_Key="k")
            for _ in range(10)
        )
    )
    assert {status for status, _ in answers} <= {422, 409}
    assert len({body["call_id"] for status, body in answers if status == 422}) == 1


def a_stored_call(template: Template, tenant_id: str, *kinds: FactKind) -> Call:
    live = LiveCalls(aws_clients.dynamodb(), template.physical["LiveTable"])
    decision = Decision(True, None, None, Stage.QUEUED, "test", "h", NOW, ())
    call_id = f"{tenant_id}-{len(kinds)}-{NOW.timestamp():.0f}"
    call = Call(call_id, tenant_id, "sofia", 1, NUMBER, "+34400000012", Lead(NUMBER), NOW, "trace")
    call = call.with_facts(Fact(NOW, kind, 1, "test") for kind in kinds)
    live.create(call, decision)
    return call


async def test_another_tenants_call_is_not_there(api: Gateway, template: Template) -> None:
    call = a_stored_call(template, "t-owner", FactKind.QUEUED)
    key = a_tenant(template, "t-stranger")
    for method in ("GET", "DELETE"):
        status, _ = await ask(api, method, f"/v1/calls/{call.call_id}", key)
        assert status == 404
    live = LiveCalls(aws_clients.dynamodb(), template.physical["LiveTable"])
    assert live.get(call.call_id).status is CallStatus.QUEUED


async def test_a_waiting_call_is_cancelled_and_then_not_again(
    api: Gateway, template: Template
) -> None:
    key = a_tenant(template, "t-cancel")
    call = a_stored_call(template, "t-cancel", FactKind.QUEUED)
    assert (await ask(api, "DELETE", f"/v1/calls/{call.call_id}", key))[0] == 202
    status, problem = await ask(api, "DELETE", f"/v1/calls/{call.call_id}", key)
    assert status == 409
    assert "over" in problem["detail"]


async def report_status(api: Gateway, call: Call, status: str, token: str = "token") -> int:
    path = f"/twilio/calls/{call.call_id}/1/status"
    form = {"CallSid": "CA1", "CallStatus": status, "ToCity": "", "CallerName": ""}
    headers = {"X-Twilio-Signature": signature(token, f"https://api.sofia.test{path}", form)}
    async with (
        aiohttp.ClientSession() as session,
        session.post(api.url + path, data=form, headers=headers) as response,
    ):
        return response.status


async def test_callbacks_need_the_carriers_signature(api: Gateway, template: Template) -> None:
    call = a_stored_call(template, "t-forged", FactKind.QUEUED, FactKind.DIAL_INTENT)
    assert await report_status(api, call, "completed", token="forged") == 403
    status, _ = await ask(
        api, "POST", f"/twilio/calls/{call.call_id}/1/status", raw=b"CallStatus=completed"
    )
    assert status == 403
    live = LiveCalls(aws_clients.dynamodb(), template.physical["LiveTable"])
    assert live.get(call.call_id).status is CallStatus.DIALING


async def test_callbacks_in_any_order_and_twice_give_the_same_record(
    api: Gateway, template: Template
) -> None:
    call = a_stored_call(template, "t-order", FactKind.QUEUED, FactKind.DIAL_INTENT)
    for status in ("completed", "ringing", "completed", "initiated", "in-progress", "ringing"):
        assert await report_status(api, call, status) == 204
    live = LiveCalls(aws_clients.dynamodb(), template.physical["LiveTable"])
    record = live.get(call.call_id)
    assert record.status is CallStatus.ENDED
    assert record.carrier_sid == "CA1"
    assert len(record.facts) == 6
