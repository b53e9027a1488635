"""Reading calls over both stores: live first, then the database; nobody else's, in clear words where asked wrongly."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from functions.history import handler as history_function
from functions.reports import handler as reports_function
from local.cloud.invoke import LambdaContext
from local.cloud.template import Template
from shared.adapters import aws_clients
from shared.adapters.codec import to_json
from shared.adapters.journal import Journal
from shared.adapters.live_calls import LiveCalls
from shared.config import use_environment
from shared.domain.call import FactKind
from shared.domain.journal import JournalEntry, Moments
from tests.integration.functions.http_events import api_event
from tests.integration.postgres_server import migrated_server
from tests.sample_calls import ANALYSIS, CONVERSATION, CREATED, DECISION, a_call

TENANT = "t-reports"


@pytest.fixture(scope="module")
def environment(
    template: Template, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """As both functions have it."""
    with migrated_server(tmp_path_factory.mktemp("postgres")) as (_, database):
        names = {
            "LIVE_TABLE": template.physical["LiveTable"],
            "ARCHIVE_BUCKET": template.physical["ArchiveBucket"],
            **database,
        }
        for function in (reports_function, history_function):
            function.compose.cache_clear()
        with use_environment(names):
            yield names
        for function in (reports_function, history_function):
            function.compose.cache_clear()


def store(environment: dict[str, str], call_id: str, **changes: Any) -> None:
    """A call as the other functions leave it in the live table."""
    dynamodb, table = aws_clients.dynamodb(), environment["LIVE_TABLE"]
    call = a_call(call_id, changes.pop("tenant_id", TENANT), **changes)
    LiveCalls(dynamodb, table).create(call, DECISION)
    if call.answered_at is None:
        return
    moments = Moments(CONVERSATION.first_sound_ms, CONVERSATION.first_callee_end_ms)
    bodies = (
        *CONVERSATION.turns,
        *CONVERSATION.tools,
        *CONVERSATION.duties,
        *CONVERSATION.follow_ups,
        *CONVERSATION.usage,
        moments,
    )
    entries = [JournalEntry(call_id, n, 1, body) for n, body in enumerate(bodies, 1)]
    Journal(dynamodb, table).append(entries)


def analyse(environment: dict[str, str], call_id: str) -> None:
    item: dict[str, Any] = {
        "pk": {"S": f"CALL#{call_id}"},
        "sk": {"S": "ANALYSIS"},
        "body": {"S": to_json(replace(ANALYSIS, call_id=call_id))},
        "usage": {"S": '{"kind":"analysis","model":"gpt-6-luna","text_in":10}'},
        "v": {"N": "1"},
    }
    aws_clients.dynamodb().put_item(TableName=environment["LIVE_TABLE"], Item=item)


def forget_live(environment: dict[str, str], call_id: str) -> None:
    """As the table does after its time."""
    dynamodb, table = aws_clients.dynamodb(), environment["LIVE_TABLE"]
    items = dynamodb.query(
        TableName=table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"CALL#{call_id}"}},
    )["Items"]
    for item in items:
        dynamodb.delete_item(TableName=table, Key={"pk": item["pk"], "sk": item["sk"]})


def remember(*call_ids: str) -> list[str]:
    """Deliver `call.ended` for these calls; gives the messages that failed."""
    records = [
        {
            "messageId": call_id,
            "body": json.dumps({"detail": {"data": {"call_id": call_id}}}),
            "eventSource": "aws:sqs",
        }
        for call_id in call_ids
    ]
    context = LambdaContext("history", "request", 9e9)
    answer = history_function.handler({"Records": records}, context)
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def get(
    path: str,
    tenant_id: str = TENANT,
    scopes: str = "calls:read",
    accept: str = "*/*",
    **query: str,
) -> tuple[int, Any]:
    event = api_event("GET", path, tenant_id, scopes, None, {"accept": accept}, query)
    answer = reports_function.handler(event, None)
    text = answer["body"]
    return answer["statusCode"], json.loads(text) if text.startswith("{") else text


def test_one_call_with_everything_the_same_live_and_remembered(
    environment: dict[str, str],
) -> None:
    store(environment, "whole")
    analyse(environment, "whole")
    assert remember("whole") == []
    status, live = get("/v1/calls/whole")
    forget_live(environment, "whole")
    assert get("/v1/calls/whole") == (status, live) == (200, live)
    assert (live["status"], live["end_reason"], live["outcome"]) == (
        "ended",
        "completed",
        "qualified",
    )
    assert live["extracted"]["contact_role"] == {"value": "owner", "turn": 3, "quote": "la dueña"}
    assert [turn["n"] for turn in live["turns"]] == list(range(1, 9))
    assert live["turns"][1]["waterfall_ms"]["gap"] == 803
    assert live["tools"][0]["arguments"]["at"] == "2026-11-26T11:00:00+01:00"
    assert len(live["duties"]) == 5
    assert live["latency_ms"]["callee_end_to_opening"] == 200
    assert live["follow_ups"][0]["kind"] == "demo"
    lines = dict(live["cost_usd"])
    assert lines.pop("total") == pytest.approx(sum(lines.values()))
    assert live["decisions"][0]["policy_version"] == "es-test"


def test_the_archive_object_is_the_report_and_the_same_again(environment: dict[str, str]) -> None:
    store(environment, "archived")
    assert remember("archived", "archived") == []
    key = f"calls/{TENANT}/2026/11/24/archived.json"
    bucket = environment["ARCHIVE_BUCKET"]

    def content() -> bytes:
        return aws_clients.s3().get_object(Bucket=bucket, Key=key)["Body"].read()

    first = content()
    assert json.loads(first) == get("/v1/calls/archived")[1]
    assert remember("archived") == []
    assert content() == first


def test_a_message_that_cannot_be_processed_stays_and_the_others_are_done(
    environment: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    store(environment, "good")
    assert remember("missing", "good", "") == ["missing", ""]
    assert [(record.call_id, record.error) for record in caplog.records] == [  # type: ignore[attr-defined]
        ("missing", "NotFound"),
        (None, "InvalidInput"),
    ]
    forget_live(environment, "good")
    assert get("/v1/calls/good")[0] == 200


def test_lists_show_calls_from_their_creation_on_and_each_once(
    environment: dict[str, str],
) -> None:
    tenant = "t-lists"
    for n in range(6):
        kinds = [(FactKind.QUEUED, 0)] if n == 5 else None
        changes: dict[str, Any] = {"kinds": kinds} if kinds else {}
        created = CREATED + timedelta(minutes=n)
        store(environment, f"l{n}", tenant_id=tenant, created_at=created, **changes)
    assert remember("l0", "l1", "l2") == []
    forget_live(environment, "l0")
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        status, page = get("/v1/calls", tenant, limit="2", **cursor)
        assert status == 200
        seen += [call["call_id"] for call in page["calls"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == ["l5", "l4", "l3", "l2", "l1", "l0"]

    def ids(**query: str) -> list[str]:
        return [call["call_id"] for call in get("/v1/calls", tenant, **query)[1]["calls"]]

    assert ids(status="queued") == ["l5"]
    assert ids(status="ended", limit="4") == ["l4", "l3", "l2", "l1"]
    assert ids(**{"from": "2026-11-24T09:41:00Z", "to": "2026-11-24T09:43:00Z"}) == ["l2", "l1"]
    assert ids(outcome="qualified") == []


def test_promises_are_listed(environment: dict[str, str]) -> None:
    tenant = "t-promises"
    store(environment, "p1", tenant_id=tenant)
    assert remember("p1") == []
    status, page = get("/v1/follow-ups", tenant, kind="demo")
    assert (status, page["next_cursor"]) == (200, None)
    assert page["follow_ups"][0] == {
        "call_id": "p1",
        "kind": "demo",
        "at": "2026-11-26T11:00:00+01:00",
        "timezone": "Europe/Madrid",
        "with": "human",
        "channel": None,
        "address": None,
        "detail": None,
    }
    assert get("/v1/follow-ups", "t-nobody")[1]["follow_ups"] == []


def test_a_transcript_for_programs_and_for_people(environment: dict[str, str]) -> None:
    store(environment, "spoken")
    _, body = get("/v1/calls/spoken/transcript")
    assert body["turns"][4]["heard"] == "Con la agenda de papel. Y me fallan muchas clientas."
    status, text = get("/v1/calls/spoken/transcript", accept="text/plain, */*;q=0.1")
    assert status == 200
    assert text.splitlines()[1] == "    2.0  Sofía: Hola, soy Sofía. ¿Hablo con Carmen?"


@pytest.mark.parametrize("path", ["/v1/calls/{}", "/v1/calls/{}/transcript"])
def test_another_tenants_call_is_not_there_live_or_remembered(
    environment: dict[str, str], path: str
) -> None:
    call_id = f"mine{len(path)}"
    store(environment, call_id)
    remember(call_id)
    for _ in ("live", "remembered"):
        status, problem = get(path.format(call_id), "t-stranger")
        assert (status, problem["title"]) == (404, "Not found")
        forget_live(environment, call_id)
    for strange in ("nothing", "a%2Fb", "x" * 65, "x" * 3_000, "CALL#1"):
        assert get(path.format(strange))[0] == 404


def test_a_key_without_the_scope_and_a_list_asked_wrongly(environment: dict[str, str]) -> None:
    assert get("/v1/calls", scopes="calls:write")[0] == 403
    status, problem = get("/v1/calls", status="finished")
    assert (status, problem["errors"][0]["field"]) == (400, "status")
    backwards = {"from": "2026-12-01", "to": "2026-11-01"}
    for path in ("/v1/calls", "/v1/follow-ups"):
        status, problem = get(path, **backwards)
        assert (status, problem["errors"][0]["field"]) == (400, "to")


def test_a_call_that_lives_is_read_while_the_database_is_away(
    environment: dict[str, str],
) -> None:
    store(environment, "alive")
    reports_function.compose.cache_clear()
    with use_environment({**environment, "DATABASE_PORT": "9"}):
        assert get("/v1/calls/alive")[0] == 200
        status, problem = get("/v1/calls")
    reports_function.compose.cache_clear()
    assert (status, problem["title"]) == (503, "Try again later")
