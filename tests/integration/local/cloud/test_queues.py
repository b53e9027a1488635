"""Queues that feed functions: what fails comes back, what fails too often is put aside, faults come twice."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from tests.integration.local.cloud.conftest import Start
from tests.integration.local.cloud.handlers import Book
from tests.integration.local.cloud.stack import Stack

GOOD, BAD = {"wanted": True, "name": "good"}, {"wanted": True, "name": "bad"}


def names(book: Book) -> Counter[str]:
    """How often each message came."""
    return Counter(json.loads(record["body"])["name"] for record in book.records("work"))


def reporting_bad(event: Any) -> Any:
    bad = [r["messageId"] for r in event["Records"] if json.loads(r["body"]) == BAD]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in bad]}


async def test_a_message_that_always_fails_goes_to_the_dead_letters_alone(stack: Stack) -> None:
    stack.book.behaviours["work"] = reporting_bad
    stack.send(GOOD, BAD)
    await stack.cloud.settle()
    assert names(stack.book) == {"good": 1, "bad": 2}
    assert stack.in_queue("DeadLetters") == [BAD]


async def test_a_function_that_raises_gets_the_whole_batch_again(stack: Stack) -> None:
    def once(event: Any) -> Any:
        if len(stack.book.events["work"]) == 1:
            raise ValueError("boom")

    stack.book.behaviours["work"] = once
    stack.send(GOOD, {**GOOD, "name": "other"})
    await stack.cloud.settle()
    first = stack.book.events["work"][0]["Records"]
    again = {record["messageId"]: record for record in stack.book.records("work")[len(first) :]}
    assert {record["messageId"] for record in first} <= set(again)
    counts = {again[r["messageId"]]["attributes"]["ApproximateReceiveCount"] for r in first}
    assert counts == {"2"}
    assert stack.cloud.failures == {"WorkFn": 1}
    assert stack.in_queue("DeadLetters") == []


async def test_what_the_filter_does_not_want_is_deleted_unseen(stack: Stack) -> None:
    stack.send({"wanted": False, "name": "other"}, GOOD)
    await stack.cloud.settle()
    assert names(stack.book) == {"good": 1}
    assert stack.in_queue("Work") == []


async def test_duplicates_come_twice_and_no_more(start: Start) -> None:
    stack = await start(duplicate=True)
    stack.send(GOOD, {**GOOD, "name": "other"})
    await stack.cloud.settle()
    assert names(stack.book) == {"good": 2, "other": 2}


async def test_a_function_that_dies_after_its_work_gets_it_again(start: Start) -> None:
    stack = await start(crash=True)
    stack.send(GOOD)
    await stack.cloud.settle()
    assert names(stack.book) == {"good": 2}
    assert stack.in_queue("DeadLetters") == []


async def test_records_look_as_lambda_hands_them_over(stack: Stack) -> None:
    stack.send(GOOD)
    await stack.cloud.settle()
    (record,) = stack.book.records("work")
    assert record["eventSource"] == "aws:sqs"
    assert record["eventSourceARN"].endswith(stack.cloud.resources["Work"].rpartition("/")[2])
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert set(record) >= {"receiptHandle", "messageAttributes", "md5OfBody", "awsRegion"}
