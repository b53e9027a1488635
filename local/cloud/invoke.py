"""Runs the functions in process, each with its own environment, in a bounded pool of threads."""

from __future__ import annotations

import asyncio
import importlib
import logging
import sys
import time
import uuid
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from local.cloud.template import Function
from shared.config import use_environment

log = logging.getLogger(__name__)
THREADS = 16


@dataclass(slots=True)
class LambdaContext:
    """What a handler may ask of its invocation."""

    function_name: str
    aws_request_id: str
    deadline_s: float
    memory_limit_in_mb: int = 512
    function_version: str = "$LATEST"

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:eu-west-1:111122223333:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self.deadline_s - time.monotonic()) * 1_000))


class InvocationFailed(Exception):
    """A handler raised, or ran out of time; the function's name is the text."""


def _forget_composition(function: Function) -> None:
    """A handler composes itself once in a process; another cloud in the same process needs it composed anew."""
    module = sys.modules.get(function.handler.rpartition(".")[0])
    compose = getattr(module, "compose", None)
    if compose is not None:
        compose.cache_clear()


class Invoker:
    """All functions of the template."""

    def __init__(self, functions: Mapping[str, Function]) -> None:
        self._functions = functions
        for function in functions.values():
            _forget_composition(function)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="lambda")
        self.failures: Counter[str] = Counter()
        self.running = 0

    async def invoke(self, logical_id: str, event: Mapping[str, Any]) -> Any:
        """The handler's result; raises InvocationFailed."""
        function = self._functions[logical_id]
        loop = asyncio.get_running_loop()
        self.running += 1
        try:
            work = loop.run_in_executor(self._threads, self._run, function, event)
            return await asyncio.wait_for(work, function.timeout_s)
        except Exception as error:
            # The edge of the emulated cloud: whatever a handler raises is a failed invocation, as in Lambda.
            self.failures[logical_id] += 1
            log.exception("invocation of %s failed", logical_id)
            raise InvocationFailed(logical_id) from error
        finally:
            self.running -= 1

    def stop(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _run(self, function: Function, event: Mapping[str, Any]) -> Any:
        module_name, _, name = function.handler.rpartition(".")
        with use_environment(function.environment):
            handler = getattr(importlib.import_module(module_name), name)
            deadline_s = time.monotonic() + function.timeout_s
            context = LambdaContext(function.logical_id, str(uuid.uuid4()), deadline_s)
            return handler(event, context)
