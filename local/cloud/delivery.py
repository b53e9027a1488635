"""What all sources share: faults that tests switch on, and what a function's answer says about a batch."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from local.cloud.invoke import Invoker


@dataclass(frozen=True, slots=True)
class Faults:
    """`duplicate`: every message, record and firing comes twice, the second time later and among others.
    `crash`: after the first run of a batch its answer is lost, as when a function dies once its work is done."""

    duplicate: bool = False
    crash: bool = False


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a worker works with: the functions, the faults, and threads for calls to the emulated cloud."""

    invoker: Invoker
    faults: Faults
    threads: ThreadPoolExecutor


def failed_items(answer: Any, identifiers: Sequence[str]) -> set[str]:
    """The items that failed by a `ReportBatchItemFailures` answer.

    An empty answer is a success; one with an identifier that is empty or none of the batch's fails the whole batch
    (Lambda's documentation).
    """
    failures = answer.get("batchItemFailures") if isinstance(answer, dict) else None
    if not failures:
        return set()
    if not isinstance(failures, list):
        return set(identifiers)
    named = {
        failure.get("itemIdentifier") if isinstance(failure, dict) else None for failure in failures
    }
    return set(identifiers) if not named <= set(identifiers) else {str(name) for name in named}
