"""Runs the functions in process, each with its own environment, in a bounded pool of threads.

InvocationFailed        the handler raised, or answered what is no JSON
└── InvocationTimedOut  it ran longer than its function may
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import logging
import sys
import threading
import time
import traceback
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from local.cloud.declarations import Function
from local.cloud.function_log import FunctionLogs
from local.cloud.ministack import ACCOUNT, REGION
from shared.config import use_environment

log = logging.getLogger(__name__)
# More than all sources of the template may have under way at once; what is beyond waits its turn.
THREADS = 40
# Lambda's quota for synchronous invocations, each way.
MAX_PAYLOAD_BYTES = 6_291_456


class InvocationFailed(Exception):
    """A handler raised or answered nonsense; the text is the function's name, the cause what it raised."""


class InvocationTimedOut(InvocationFailed):
    """The function's time ran out. Its thread cannot be stopped: it goes on, and nobody waits for it."""


@dataclass(slots=True)
class LambdaContext:
    """What a handler may ask of its invocation."""

    function_name: str
    aws_request_id: str
    deadline_s: float
    memory_limit_in_mb: int = 512
    function_version: str = "$LATEST"
    identity: None = None
    client_context: None = None
    log_stream_name: str = field(default="local")

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.function_name}"

    @property
    def log_group_name(self) -> str:
        return f"/aws/lambda/{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self.deadline_s - time.monotonic()) * 1_000))


def _forget_composition(function: Function) -> None:
    """A handler composes itself once in a process; another cloud in the same process needs it composed anew."""
    module = sys.modules.get(function.handler.rpartition(".")[0])
    compose = getattr(module, "compose", None)
    if compose is not None:
        compose.cache_clear()


class Invoker:
    """All functions of the template. `failures` counts failed invocations by function, `running` those under way,
    `started` all that ever began. Without `logs` handlers' output goes where the process's goes."""

    def __init__(
        self,
        functions: Mapping[str, Function],
        logs: FunctionLogs | None = None,
        threads: int = THREADS,
    ) -> None:
        self._functions = functions
        self._logs = logs
        for function in functions.values():
            _forget_composition(function)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="lambda")
        self._slots = asyncio.Semaphore(threads)
        self.failures: Counter[str] = Counter()
        self.running = 0
        self.started = 0

    async def invoke(self, logical_id: str, event: Any) -> Any:
        """The handler's result as JSON values; raises InvocationFailed, or KeyError for an unknown function."""
        function = self._functions[logical_id]
        self.running += 1
        self.started += 1
        began_s = time.monotonic()
        try:
            text = await self._on_thread(function, json.dumps(event))
            return json.loads(text)
        except InvocationFailed as error:
            self.failures[logical_id] += 1
            self._report(logical_id, error)
            raise
        finally:
            self.running -= 1
            if self._logs is not None:
                took_ms = (time.monotonic() - began_s) * 1_000
                self._logs.note(logical_id, f"REPORT Duration: {took_ms:.1f} ms")

    def warm_up(self) -> None:
        """Import all handlers on a thread, so that nobody waits for it at a function's first event."""
        functions = tuple(self._functions.values())
        threading.Thread(target=_import_all, args=(functions,), name="warm-up", daemon=True).start()

    def stop(self) -> None:
        """Start nothing more. Handlers that run are not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _on_thread(self, function: Function, event_text: str) -> str:
        await self._slots.acquire()
        loop = asyncio.get_running_loop()
        try:
            work = self._threads.submit(self._run, function, event_text)
        except RuntimeError as error:
            self._slots.release()
            raise InvocationFailed(function.logical_id) from error
        # The thread holds its slot until it really ends, also after its function's time is over.
        work.add_done_callback(lambda _: _from_thread(loop, self._slots.release))
        try:
            return await asyncio.wait_for(_outcome(work), function.timeout_s)
        except TimeoutError as error:
            if work.done():
                raise InvocationFailed(function.logical_id) from error
            raise InvocationTimedOut(function.logical_id) from error
        except Exception as error:
            # The edge of the emulated cloud: whatever a handler raises is a failed invocation, as in Lambda.
            raise InvocationFailed(function.logical_id) from error

    def _run(self, function: Function, event_text: str) -> str:
        module_name, _, name = function.handler.rpartition(".")
        request_id = str(uuid.uuid4())
        with use_environment(_environment(function)):
            if self._logs is None:
                return _answer(function, module_name, name, request_id, event_text)
            with self._logs.of(function.logical_id):
                return _answer(function, module_name, name, request_id, event_text)

    def _report(self, logical_id: str, error: InvocationFailed) -> None:
        cause = error.__cause__
        timed_out = isinstance(error, InvocationTimedOut)
        reason = "its time ran out" if timed_out else type(cause).__name__
        if self._logs is None:
            log.error("invocation of %s failed: %s", logical_id, reason, exc_info=cause)
            return
        # An exception's text may quote what people said; it stays in the function's own log.
        log.error("invocation of %s failed: %s%s", logical_id, reason, _place(cause))
        trace = "".join(traceback.format_exception(cause)) if cause and not timed_out else reason
        self._logs.note(logical_id, f"ERROR {trace}")


def _import_all(functions: Sequence[Function]) -> None:
    for function in functions:
        # What a handler lacks its first event says, in the function's own log.
        with use_environment(_environment(function)), contextlib.suppress(ImportError):
            importlib.import_module(function.handler.rpartition(".")[0])


def _answer(
    function: Function, module_name: str, name: str, request_id: str, event_text: str
) -> str:
    handler = getattr(importlib.import_module(module_name), name)
    context = LambdaContext(
        function.logical_id,
        request_id,
        time.monotonic() + function.timeout_s,
        function.memory_mb,
    )
    # Event and answer travel as JSON, so that what Lambda could not carry fails here as well.
    text = json.dumps(handler(json.loads(event_text), context))
    if len(text) > MAX_PAYLOAD_BYTES:
        raise ValueError("the answer is larger than Lambda's 6 MB")
    return text


def _place(cause: BaseException | None) -> str:
    """Where it was raised, as file and line."""
    frames = traceback.extract_tb(cause.__traceback__) if cause else None
    return f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""


def _environment(function: Function) -> dict[str, str]:
    """The function's variables and those that Lambda adds."""
    return {
        "AWS_REGION": REGION,
        "AWS_LAMBDA_FUNCTION_NAME": function.logical_id,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "_HANDLER": function.handler,
        **function.environment,
    }


async def _outcome(work: Future[str]) -> str:
    """The result of work on a thread; when nobody waits any more the thread goes on undisturbed."""
    return await asyncio.shield(asyncio.wrap_future(work))


def _from_thread(loop: asyncio.AbstractEventLoop, action: Any) -> None:
    # The loop may be closed when a handler that nobody waited for ends.
    if not loop.is_closed():
        loop.call_soon_threadsafe(action)
