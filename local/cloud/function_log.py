"""Where handlers' output goes: a file for each function, never the terminal of whoever runs the twin.

Handlers share one process, so that the running invocation decides: what is printed or logged while a function runs
belongs to this function, everything else passes untouched.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

_running: ContextVar[_Sink | None] = ContextVar("running_function_log", default=None)


class _Sink:
    """The log of one function; `path` None swallows."""

    def __init__(self, path: Path | None) -> None:
        self._lock = threading.Lock()
        self._path = path

    def write(self, text: str) -> None:
        if self._path is not None:
            with self._lock, self._path.open("a", encoding="utf-8") as file:
                file.write(text)


class FunctionLogs:
    """The logs of all functions, `<logical id>.log` in `folder`; without a folder their output is dropped."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._sinks: dict[str, _Sink] = {}
        self._stack = contextlib.ExitStack()
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    def open(self) -> None:
        """Take over what handlers print and log until `close`."""
        self._stack.enter_context(contextlib.redirect_stdout(_Divided(sys.stdout)))
        handler = _ToSink()
        logging.getLogger().addHandler(handler)
        self._stack.callback(logging.getLogger().removeHandler, handler)

    def close(self) -> None:
        self._stack.close()

    @contextlib.contextmanager
    def of(self, function: str) -> Iterator[None]:
        """Output inside the block belongs to the function."""
        token = _running.set(self._sink(function))
        try:
            yield
        finally:
            _running.reset(token)

    def note(self, function: str, line: str) -> None:
        """A line of the platform's own, as START, REPORT and errors are."""
        self._sink(function).write(f"{datetime.now(UTC).isoformat()} {line.rstrip()}\n")

    def _sink(self, function: str) -> _Sink:
        if function not in self._sinks:
            path = None if self._folder is None else self._folder / f"{function}.log"
            self._sinks[function] = _Sink(path)
        return self._sinks[function]


class _ToSink(logging.Handler):
    """Log records of a running function go to its file."""

    def emit(self, record: logging.LogRecord) -> None:
        sink = _running.get()
        if sink is not None:
            sink.write(f"{record.levelname} {record.name}: {self.format(record)}\n")
        elif _is_alone(self) and logging.lastResort is not None:
            # Python's own handler of last resort falls silent where there is any other, such as this one.
            logging.lastResort.handle(record)


def _is_alone(handler: logging.Handler) -> bool:
    return logging.getLogger().handlers == [handler]


class _Divided:
    """Standard output, divided between the functions and everybody else."""

    def __init__(self, real: TextIO) -> None:
        self._real = real

    def write(self, text: str) -> int:
        sink = _running.get()
        if sink is None:
            return self._real.write(text)
        sink.write(text)
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)
