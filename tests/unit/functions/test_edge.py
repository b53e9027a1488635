"""The HTTP edge: requests read, errors mapped, nothing of what was sent repeated."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from functions.edge import MAX_BODY_BYTES, Caller, Request, Response, answer, guarded, request_of
from functions.parsing import StrictBody, parsed
from shared.adapters.codec import CorruptRecord
from shared.domain.errors import (
    CommandRefused,
    Conflict,
    Forbidden,
    GateDenied,
    InvalidInput,
    KeyReused,
    NotFound,
    SofiaError,
    TooManyCalls,
    Unavailable,
)
from shared.domain.tenant import ADMINISTRATION, Scope

LATER = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def an_event(body: bytes | str = b"", **changes: Any) -> dict[str, Any]:
    text = body if isinstance(body, str) else base64.b64encode(body).decode()
    return {
        "routeKey": "POST /v1/calls",
        "rawPath": "/v1/calls",
        "rawQueryString": "",
        "headers": {},
        "requestContext": {"http": {"method": "POST"}},
        "body": text,
        "isBase64Encoded": isinstance(body, bytes),
        **changes,
    }


def problem_of(error: SofiaError) -> tuple[Response, dict[str, Any]]:
    def raises(_: Request) -> Response:
        raise error

    response = guarded(raises, an_event())
    return response, json.loads(response["body"])


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidInput("to", "write a number"), 400),
        (KeyReused(), 422),
        (NotFound("no such call"), 404),
        (Forbidden("no"), 403),
        (CommandRefused("over"), 409),
        (Conflict("under way"), 409),
        (GateDenied("WEEKEND", LATER), 422),
        (TooManyCalls(7), 429),
        (Unavailable("later"), 503),
        (CorruptRecord("a stored Call cannot be read"), 500),
    ],
)
def test_every_error_has_its_status_and_is_a_problem(error: SofiaError, status: int) -> None:
    response, problem = problem_of(error)
    assert response["statusCode"] == problem["status"] == status
    assert response["headers"]["content-type"] == "application/problem+json"
    assert {"type", "title", "status", "detail", "instance"} <= problem.keys()


def test_a_denial_says_why_and_until_when() -> None:
    _, problem = problem_of(GateDenied("WEEKEND", LATER))
    assert (problem["reason"], problem["retry_at"]) == ("WEEKEND", LATER.isoformat())


def test_too_many_says_when_to_come_back() -> None:
    response, _ = problem_of(TooManyCalls(7))
    assert response["headers"]["retry-after"] == "7"


def test_what_went_wrong_inside_stays_inside() -> None:
    _, problem = problem_of(CorruptRecord("a stored Call cannot be read: Carmen"))
    assert "Carmen" not in json.dumps(problem)


def test_a_refusal_names_every_field_and_leaves_a_trace_without_what_was_sent(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def reads(request: Request) -> Response:
        class Body(StrictBody):
            to: int

        return answer(200, parsed(Body, request.json()).to)

    caplog.set_level("INFO")
    event = an_event(json.dumps({"to": "Carmen", "Carmen": 1}))
    response = guarded(reads, event)
    assert response["statusCode"] == 400
    fields = [error["field"] for error in json.loads(response["body"])["errors"]]
    assert fields == ["to", "Carmen"]
    (trace,) = [record for record in caplog.records if record.msg == "a request was refused"]
    assert trace.__dict__["status"] == 400
    assert trace.__dict__["route"] == "POST /v1/calls"
    assert "Carmen" not in str(trace.__dict__)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff\xfe",
        b"[" * 200_000,
        b"1" * 10_000,
    ],
)
def test_bodies_that_are_no_json_are_the_senders_fault(body: bytes) -> None:
    response = guarded(lambda request: answer(200, request.json()), an_event(body))
    assert response["statusCode"] == 400


@pytest.mark.parametrize("body", ["x" * (MAX_BODY_BYTES + 1), b"x" * (MAX_BODY_BYTES + 1)])
def test_a_body_that_is_too_long_is_refused_before_anybody_works_on_it(body: bytes | str) -> None:
    worked: list[Request] = []

    def works(request: Request) -> Response:
        worked.append(request)
        return answer(200, {})

    response = guarded(works, an_event(body))
    problem = json.loads(response["body"])
    assert response["statusCode"] == problem["status"] == 413
    assert problem["errors"][0]["field"] == "body"
    assert not worked
    assert guarded(works, an_event("x" * MAX_BODY_BYTES))["statusCode"] == 200


@pytest.mark.parametrize("call_id", ["", "a/b", "x" * 65, "x" * 3_000, "CALL#1", "ñ", "a\n"])
def test_an_id_that_no_call_can_have_is_not_there(call_id: str) -> None:
    event = an_event(pathParameters={"call_id": call_id})
    response = guarded(lambda request: answer(200, {"call_id": request.named("call_id")}), event)
    assert response["statusCode"] == 404


def test_a_scope_is_what_the_key_says_and_administering_is_for_the_administration() -> None:
    Caller("t", frozenset({"calls:read"})).need(Scope.CALLS_READ)
    Caller(ADMINISTRATION, frozenset({"admin"})).need(Scope.ADMIN)
    for caller, scope in (
        (Caller("t", frozenset({"calls:read"})), Scope.CALLS_WRITE),
        (Caller("t", frozenset({"admin"})), Scope.ADMIN),
        (Caller(ADMINISTRATION, frozenset({"admin"})), Scope.CALLS_READ),
        (Caller(ADMINISTRATION, frozenset({"calls:read"})), Scope.ADMIN),
    ):
        with pytest.raises(Forbidden):
            caller.need(scope)


def test_a_request_keeps_the_target_as_it_was_sent() -> None:
    request = request_of(an_event(rawPath="/twilio/x", rawQueryString="a=%20b&c"))
    assert request.target == "/twilio/x?a=%20b&c"


def test_an_identity_comes_from_the_authorizer_alone() -> None:
    assert request_of(an_event(headers={"tenant_id": "t"})).caller is None
    with pytest.raises(Forbidden):
        request_of(an_event()).authenticated()
    context = {
        "http": {"method": "GET"},
        "authorizer": {"lambda": {"tenant_id": "t", "scopes": "calls:read"}},
    }
    caller = request_of(an_event(requestContext=context)).authenticated()
    assert (caller.tenant_id, caller.scopes) == ("t", frozenset({"calls:read"}))
