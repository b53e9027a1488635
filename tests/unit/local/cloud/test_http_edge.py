"""Routes, throttling, CORS and answers of the gateway, without a socket."""

from __future__ import annotations

from typing import Any

import pytest

from local.cloud.cors import allow, preflight
from local.cloud.declarations import Cors, Route, Throttle
from local.cloud.delivery import failed_items
from local.cloud.http_answer import HttpAnswer, InvalidAnswer, answer_of
from local.cloud.routing import Router
from local.cloud.throttling import TokenBucket

PATHS = (
    ("ANY", "/v1/calls/{id}"),
    ("GET", "/v1/calls/{id}"),
    ("GET", "/v1/calls/mine"),
    ("POST", "/v1/{rest+}"),
    ("GET", "/v1/{a}/{b}"),
    ("GET", "/odd.path"),
    ("ANY", "$default"),
)


@pytest.mark.parametrize(
    ("method", "path", "key", "parameters"),
    [
        ("GET", "/v1/calls/mine", "GET /v1/calls/mine", {}),
        ("GET", "/v1/calls/7", "GET /v1/calls/{id}", {"id": "7"}),
        ("PUT", "/v1/calls/7", "ANY /v1/calls/{id}", {"id": "7"}),
        ("GET", "/v1/x/y", "GET /v1/{a}/{b}", {"a": "x", "b": "y"}),
        ("POST", "/v1/x/y/z", "POST /v1/{rest+}", {"rest": "x/y/z"}),
        ("GET", "/odd.path", "GET /odd.path", {}),
        ("GET", "/oddxpath", "$default", {}),
        ("GET", "/v1/calls/", "$default", {}),
        ("DELETE", "/", "$default", {}),
    ],
)
def test_the_most_precise_route_wins(
    method: str, path: str, key: str, parameters: dict[str, str]
) -> None:
    match = Router([Route(m, p, "F") for m, p in PATHS]).find(method, path)
    assert match is not None
    assert (match.route.key, match.parameters) == (key, parameters)


def test_no_route() -> None:
    assert Router([Route("GET", "/a", "F")]).find("POST", "/a") is None


def test_a_bucket_empties_and_fills() -> None:
    bucket = TokenBucket(Throttle(rate_per_s=2.0, burst=3))
    assert [bucket.take(10.0) for _ in range(4)] == [True, True, True, False]
    assert [bucket.take(10.5), bucket.take(10.5)] == [True, False]
    assert [bucket.take(99.0) for _ in range(4)] == [True, True, True, False]


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ({"statusCode": 204}, (204, "text/plain;charset=UTF-8", b"")),
        ({"statusCode": "201", "body": "ñ"}, (201, "text/plain;charset=UTF-8", "ñ".encode())),
        (
            {
                "statusCode": 200,
                "body": "AAE=",
                "isBase64Encoded": True,
                "headers": {"Content-Type": "a/b"},
            },
            (200, "a/b", b"\x00\x01"),
        ),
        ({"greeting": "hola"}, (200, "application/json", b'{"greeting":"hola"}')),
        ("hola", (200, "application/json", b"hola")),
        (None, (200, "application/json", b"null")),
        ([1], (200, "application/json", b"[1]")),
    ],
)
def test_results_that_are_answers(result: Any, expected: tuple[int, str, bytes]) -> None:
    answer = answer_of(result)
    assert (answer.status, dict(answer.headers)["content-type"], answer.body) == expected


def test_cookies_and_numbers_in_headers() -> None:
    answer = answer_of({"statusCode": 200, "cookies": ["a=1", "b=2"], "headers": {"X-N": 3}})
    assert answer.headers[-2:] == (("set-cookie", "a=1"), ("set-cookie", "b=2"))
    assert ("x-n", "3") in answer.headers


@pytest.mark.parametrize(
    "result",
    [
        {"statusCode": "ok"},
        {"statusCode": 99},
        {"statusCode": True},
        {"statusCode": 200, "body": {"a": 1}},
        {"statusCode": 200, "body": "%%%", "isBase64Encoded": True},
        {"statusCode": 200, "headers": ["a"]},
        {"statusCode": 200, "headers": {"a": ["b"]}},
        {"statusCode": 200, "headers": {"a": "b\r\nc: d"}},
        {"statusCode": 200, "cookies": "a=1"},
    ],
)
def test_results_that_are_none(result: Any) -> None:
    with pytest.raises(InvalidAnswer):
        answer_of(result)


def test_cors() -> None:
    cors = Cors(("https://a",), ("GET", "POST"), ("x-key",), max_age_s=60, allow_credentials=True)
    asked = {"origin": "https://a", "access-control-request-method": "POST"}
    answer = preflight(cors, "OPTIONS", asked)
    assert answer is not None
    assert answer.status == 204
    assert dict(answer.headers) == {
        "access-control-allow-origin": "https://a",
        "access-control-allow-credentials": "true",
        "access-control-allow-methods": "GET,POST",
        "access-control-allow-headers": "x-key",
        "access-control-max-age": "60",
    }
    assert preflight(cors, "OPTIONS", {**asked, "origin": "https://b"}) == HttpAnswer(204, (), b"")
    assert preflight(cors, "GET", asked) is None
    assert allow(Cors(("*",)), {"origin": "https://b"}) == (("access-control-allow-origin", "*"),)
    assert allow(cors, {}) == ()


@pytest.mark.parametrize(
    ("answer", "failed"),
    [
        (None, set()),
        ({}, set()),
        ({"batchItemFailures": []}, set()),
        ({"batchItemFailures": None}, set()),
        ({"batchItemFailures": [{"itemIdentifier": "b"}]}, {"b"}),
        ({"batchItemFailures": [{"itemIdentifier": "z"}]}, {"a", "b"}),
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, {"a", "b"}),
        ({"batchItemFailures": [{"id": "a"}]}, {"a", "b"}),
        ({"batchItemFailures": "a"}, {"a", "b"}),
    ],
)
def test_partial_failures(answer: Any, failed: set[str]) -> None:
    assert failed_items(answer, ["a", "b"]) == failed
