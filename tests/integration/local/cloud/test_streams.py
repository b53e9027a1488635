"""A table's stream: in order, again from where it failed, halved around a poisoned record, given up in the end."""

from __future__ import annotations

from typing import Any

from tests.integration.local.cloud.conftest import Start
from tests.integration.local.cloud.handlers import Book
from tests.integration.local.cloud.stack import Stack


def change(record: Any) -> tuple[str, int]:
    image = record["dynamodb"]["NewImage"]
    return image["key"]["S"], int(image["version"]["N"])


def versions(book: Book, key: str) -> list[int]:
    changes = [change(record) for record in book.records("stream")]
    return [version for changed, version in changes if changed == key]


async def test_the_changes_of_a_key_come_in_order(stack: Stack) -> None:
    for version in range(12):
        for key in ("carmen", "rosa"):
            stack.put(key, version)
    await stack.cloud.settle()
    assert versions(stack.book, "carmen") == list(range(12))
    assert versions(stack.book, "rosa") == list(range(12))


async def test_a_poisoned_record_is_cut_out_and_given_up_alone(stack: Stack) -> None:
    done: list[tuple[str, int]] = []

    def refuse(event: Any) -> None:
        changes = [change(record) for record in event["Records"]]
        if ("poison", 0) in changes:
            raise ValueError("boom")
        done.extend(changes)

    stack.book.behaviours["stream"] = refuse
    for number in range(3):
        stack.put(f"before-{number}", number)
    stack.put("poison", 0)
    for number in range(3):
        stack.put(f"after-{number}", number)
    await stack.cloud.settle()
    expected = [(f"{when}-{n}", n) for when in ("before", "after") for n in range(3)]
    assert done == expected
    (letter,) = stack.in_queue("GivenUp")
    batch = letter["DDBStreamBatchInfo"]
    assert batch["batchSize"] == 1
    assert batch["startSequenceNumber"] == batch["endSequenceNumber"]
    # One retry is what the template allows.
    assert letter["requestContext"]["approximateInvokeCount"] == 2


async def test_after_a_reported_failure_it_goes_on_from_that_record(stack: Stack) -> None:
    refused: list[str] = []

    def report(event: Any) -> Any:
        for record in event["Records"]:
            number = record["dynamodb"]["SequenceNumber"]
            if change(record) == ("carmen", 1) and number not in refused:
                refused.append(number)
                return {"batchItemFailures": [{"itemIdentifier": number}]}
        return {}

    stack.book.behaviours["stream"] = report
    for version in range(3):
        stack.put("carmen", version)
    await stack.cloud.settle()
    seen = versions(stack.book, "carmen")
    # The failed one and what follows it come again, what came before does not.
    assert (seen.count(0), seen.count(1)) == (1, 2)
    assert seen[-2:] == [1, 2]
    assert stack.in_queue("GivenUp") == []


async def test_duplicated_records_come_twice(start: Start) -> None:
    stack = await start(duplicate=True)
    for version in range(3):
        stack.put("carmen", version)
    await stack.cloud.settle()
    assert sorted(versions(stack.book, "carmen")) == [0, 0, 1, 1, 2, 2]
