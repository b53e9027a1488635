"""Functions of the test stack: each notes what it was given and does what the test has told it to."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Any

Behaviour = Callable[[Any], Any]


class Book:
    """Events by function, and what each function does with them (nothing, unless a test says so)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.events: dict[str, list[Any]] = defaultdict(list)
        self.behaviours: dict[str, Behaviour] = {}
        self.released = threading.Event()

    def take(self, function: str, event: Any) -> Any:
        with self._lock:
            self.events[function].append(event)
        behaviour = self.behaviours.get(function)
        return behaviour(event) if behaviour is not None else None

    def records(self, function: str) -> list[Any]:
        """All records of all batches, in the order in which they came."""
        with self._lock:
            return [record for event in self.events[function] for record in event["Records"]]


class _Shelf:
    """Holds the book of the test that runs."""

    book = Book()


def open_book() -> Book:
    """A new book; the functions write into it from now on."""
    _Shelf.book = Book()
    return _Shelf.book


def key(event: Any, context: object) -> Any:
    return _Shelf.book.take("key", event)


def echo(event: Any, context: object) -> Any:
    answer = _Shelf.book.take("echo", event)
    return event if answer is None else answer


def slow(event: Any, context: object) -> Any:
    _Shelf.book.take("slow", event)
    _Shelf.book.released.wait(20)
    return {"statusCode": 200}


def work(event: Any, context: object) -> Any:
    return _Shelf.book.take("work", event)


def stream(event: Any, context: object) -> Any:
    return _Shelf.book.take("stream", event)


def bus(event: Any, context: object) -> Any:
    return _Shelf.book.take("bus", event)


def timer(event: Any, context: object) -> Any:
    return _Shelf.book.take("timer", event)
