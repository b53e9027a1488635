"""Messages about calls: one that fails comes again, the others are done, and the operator reads which it was."""

from __future__ import annotations

import json
from typing import Any

import pytest

from functions.call_events import for_each_call
from local.cloud.invoke import LambdaContext
from shared.config import use_environment
from shared.domain.errors import Unavailable

CONTEXT = LambdaContext("HistoryFn", "request", 9e9)


def a_message(n: int, body: str | None = None) -> dict[str, Any]:
    event = {"detail": {"data": {"call_id": f"C{n}"}}}
    return {"messageId": f"m{n}", "body": body or json.dumps(event), "eventSource": "aws:sqs"}


def test_a_message_that_fails_is_named_for_the_queue_and_for_the_operator(
    capsys: pytest.CaptureFixture[str],
) -> None:
    done: list[str] = []

    def handle(call_id: str) -> None:
        if call_id == "C2":
            raise Unavailable("Carmen said: +34600000001")
        done.append(call_id)

    records = {"Records": [a_message(1), a_message(2), a_message(3)]}
    # A name of its own, so that its logger is made here and now.
    with use_environment({"POWERTOOLS_SERVICE_NAME": "sofia-call-events"}):
        answer = for_each_call(records, CONTEXT, handle)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m2"}]}
    assert done == ["C1", "C3"]
    (line,) = (json.loads(text) for text in capsys.readouterr().err.splitlines())
    assert (line["level"], line["call_id"], line["error"]) == ("WARNING", "C2", "Unavailable")
    assert "Carmen" not in str(line)


def test_what_is_no_event_about_a_call_is_never_handled() -> None:
    def handle(_: str) -> None:
        raise AssertionError("there is no call in it")

    for body in ("{", "[]", '{"detail": {"data": {"call_id": 7}}}'):
        answer = for_each_call({"Records": [a_message(1, body)]}, CONTEXT, handle)
        assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
