"""The API over real HTTP, as API Gateway's HTTP APIs do it: events, authorizers, limits, faults."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from local.cloud import gateway
from tests.integration.local.cloud.stack import Stack

MEGABYTE = 1_048_576
KEY = {"Authorization": "Bearer carmen"}
ORIGIN = {"Origin": "https://salon.example"}


@pytest.fixture
async def http(stack: Stack) -> AsyncIterator[aiohttp.ClientSession]:
    stack.book.behaviours["key"] = lambda event: {
        "isAuthorized": event["headers"]["authorization"] != "Bearer nobody",
        "context": {"tenant": event["headers"]["authorization"][7:]},
    }
    async with aiohttp.ClientSession(stack.url) as session:
        yield session


async def echoed(http: aiohttp.ClientSession, method: str, path: str, **request: Any) -> Any:
    """The event that the function got."""
    async with http.request(method, path, **request) as response:
        assert response.status == 200
        return json.loads(await response.text())


async def answered(
    http: aiohttp.ClientSession, method: str, path: str, **request: Any
) -> tuple[int, str]:
    async with http.request(method, path, **request) as response:
        return response.status, (await response.json())["message"]


async def test_the_event_has_the_shape_of_payload_2(http: aiohttp.ClientSession) -> None:
    event = await echoed(
        http,
        "POST",
        "/open/a%20b/c?x=1&x=2&empty=",
        headers=[("X-Custom", "A"), ("X-Custom", "B"), ("Cookie", "a=1; b=2")],
        json={"name": "Begoña"},
    )
    assert (event["version"], event["routeKey"]) == ("2.0", "POST /open/{rest+}")
    assert (event["rawPath"], event["rawQueryString"]) == ("/open/a b/c", "x=1&x=2&empty=")
    assert event["queryStringParameters"] == {"x": "1,2", "empty": ""}
    assert event["pathParameters"] == {"rest": "a b/c"}
    assert event["cookies"] == ["a=1", "b=2"]
    assert event["headers"]["x-custom"] == "A,B"
    assert "cookie" not in event["headers"]
    assert all(name == name.lower() for name in event["headers"])
    assert json.loads(event["body"]) == {"name": "Begoña"}
    assert event["isBase64Encoded"] is False
    assert event["requestContext"]["http"]["method"] == "POST"
    assert "authorizer" not in event["requestContext"]


async def test_forms_and_bytes_arrive_as_base64(http: aiohttp.ClientSession) -> None:
    event = await echoed(http, "POST", "/open/form", data={"CallSid": "CA1"})
    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == b"CallSid=CA1"
    event = await echoed(http, "POST", "/open/nothing")
    assert "body" not in event


async def test_bytes_and_cookies_leave_as_they_were_given(
    http: aiohttp.ClientSession, stack: Stack
) -> None:
    sound = b"\x00\xffsound"
    stack.book.behaviours["echo"] = lambda event: {
        "statusCode": 201,
        "headers": {"Content-Type": "audio/basic"},
        "cookies": ["a=1; Secure", "b=2"],
        "body": base64.b64encode(sound).decode(),
        "isBase64Encoded": True,
    }
    async with http.post("/open/sound") as response:
        assert (response.status, await response.read()) == (201, sound)
        assert response.headers["content-type"] == "audio/basic"
        assert response.headers.getall("set-cookie") == ["a=1; Secure", "b=2"]


async def test_the_most_precise_route_is_taken(http: aiohttp.ClientSession) -> None:
    mine = await echoed(http, "GET", "/guarded/mine", headers=KEY)
    assert mine["routeKey"] == "GET /guarded/mine"
    posted = await echoed(http, "POST", "/guarded/mine", headers=KEY)
    assert (posted["routeKey"], posted["pathParameters"]) == ("ANY /guarded/{id}", {"id": "mine"})
    assert await answered(http, "GET", "/nowhere") == (404, "Not Found")


async def test_an_authorizer_is_asked_once_for_each_identity(
    http: aiohttp.ClientSession, stack: Stack
) -> None:
    for path in ("/guarded/1", "/guarded/2", "/guarded/mine"):
        event = await echoed(http, "GET", path, headers=KEY)
        assert event["requestContext"]["authorizer"] == {"lambda": {"tenant": "carmen"}}
    await echoed(http, "GET", "/guarded/1", headers={"Authorization": "Bearer rosa"})
    asked = [event["identitySource"] for event in stack.book.events["key"]]
    assert asked == [["Bearer carmen"], ["Bearer rosa"]]
    assert stack.book.events["key"][0]["type"] == "REQUEST"


async def test_who_does_not_say_who_it_is_or_may_not_pass_is_turned_away(
    http: aiohttp.ClientSession, stack: Stack
) -> None:
    assert await answered(http, "GET", "/guarded/1") == (401, "Unauthorized")
    assert stack.book.events["key"] == []
    for _ in range(2):
        refused = await answered(
            http, "GET", "/guarded/1", headers={"Authorization": "Bearer nobody"}
        )
        assert refused == (403, "Forbidden")
    # Refusals are kept as well.
    assert len(stack.book.events["key"]) == 1
    assert stack.book.events["echo"] == []


@pytest.mark.parametrize(
    "answer", [{"isAuthorized": "yes"}, {}, {"isAuthorized": True, "context": 1}]
)
async def test_an_authorizer_that_answers_nonsense_is_a_fault(
    http: aiohttp.ClientSession, stack: Stack, answer: dict[str, Any]
) -> None:
    stack.book.behaviours["key"] = lambda event: answer
    assert await answered(http, "GET", "/guarded/1", headers=KEY) == (500, "Internal Server Error")


async def test_more_than_the_bucket_holds_is_refused(http: aiohttp.ClientSession) -> None:
    for _ in range(3):
        await echoed(http, "GET", "/narrow")
    assert await answered(http, "GET", "/narrow") == (429, "Too Many Requests")
    # The bucket is the route's own.
    await echoed(http, "POST", "/open/a")


@pytest.mark.parametrize("size", [7 * MEGABYTE, 10 * MEGABYTE + 1])
async def test_what_lambda_or_the_gateway_cannot_take_is_refused(
    http: aiohttp.ClientSession, stack: Stack, size: int
) -> None:
    headers = {"Content-Type": "text/plain"}
    refused = await answered(http, "POST", "/open/a", data=b"x" * size, headers=headers)
    assert refused == (413, "Request Entity Too Large")
    assert stack.book.events["echo"] == []


async def test_an_answer_beyond_six_megabytes_is_a_fault(
    http: aiohttp.ClientSession, stack: Stack
) -> None:
    stack.book.behaviours["echo"] = lambda event: {"statusCode": 200, "body": "x" * 7 * MEGABYTE}
    assert await answered(http, "POST", "/open/a") == (500, "Internal Server Error")


async def test_headers_beyond_ten_kilobytes_are_refused(http: aiohttp.ClientSession) -> None:
    headers = {"X-Long": "x" * 10_240}
    assert (await answered(http, "POST", "/open/a", headers=headers))[0] == 431


async def test_a_function_whose_time_runs_out_is_a_fault(
    http: aiohttp.ClientSession, stack: Stack
) -> None:
    assert await answered(http, "GET", "/slow") == (500, "Internal Server Error")
    assert stack.cloud.failures == {"SlowFn": 1}


async def test_the_gateway_waits_for_nobody_beyond_its_own_limit(
    http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "INTEGRATION_TIMEOUT_S", 0.1)
    assert await answered(http, "GET", "/slow") == (503, "Service Unavailable")


async def test_a_preflight_is_answered_without_asking_anybody(
    http: aiohttp.ClientSession, stack: Stack
) -> None:
    headers = {**ORIGIN, "Access-Control-Request-Method": "GET"}
    async with http.options("/guarded/1", headers=headers) as response:
        assert response.status == 204
        assert response.headers["access-control-allow-origin"] == ORIGIN["Origin"]
    assert stack.book.events == {}


async def test_refusals_too_may_be_read_by_the_allowed_origin(http: aiohttp.ClientSession) -> None:
    async with http.get("/guarded/1", headers=ORIGIN) as response:
        assert response.status == 401
        assert response.headers["access-control-allow-origin"] == ORIGIN["Origin"]


async def test_a_fault_shows_the_caller_nothing_and_its_log_everything(
    caplog: pytest.LogCaptureFixture,
    http: aiohttp.ClientSession,
    stack: Stack,
    tmp_path: Path,
) -> None:
    def fail(event: Any) -> None:
        raise ValueError("Carmen's own words")

    stack.book.behaviours["echo"] = fail
    assert await answered(http, "POST", "/open/a") == (500, "Internal Server Error")
    log = (tmp_path / "functions" / "EchoFn.log").read_text()
    assert "ValueError: Carmen's own words" in log
    assert "Carmen" not in caplog.text
    # Where it was raised is no secret.
    assert "test_gateway.py" in caplog.text
