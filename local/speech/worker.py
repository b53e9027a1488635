"""One child process that speaks or listens, so that neither holds the GIL of the process that
carries calls.

A single thread owns the child and its pipes; requests wait in its queue, bounded. Any event loop
may ask.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import local
from local.speech.errors import QueueFull, WorkerLost, WorkerRefused, WorkerTimedOut
from local.speech.pipe_frames import PipeFrame, encode, read_frame

_PROJECT_ROOT = Path(local.__file__).resolve().parent.parent
_END_GRACE_S = 1.0


class SpeechWorker:
    """Runs `python -m module *arguments` on first use and asks it one thing at a time.

    The child ends when this process does: its requests come from a pipe that closes then. A child
    that was lost is started again by the next request; the request it was lost in is repeated
    once, since every request is a pure question.
    """

    def __init__(
        self,
        module: str,
        arguments: Sequence[str] = (),
        *,
        queue_limit: int = 256,
        timeout_s: float = 60.0,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._command = [sys.executable, "-m", module, *arguments]
        self._environment = dict(environment or {})
        self._queue_limit = queue_limit
        self._timeout_s = timeout_s
        self._owner = ThreadPoolExecutor(max_workers=1, thread_name_prefix=module)
        self._lock = threading.Lock()
        self._waiting = 0
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The child's process id while it runs."""
        child = self._child
        return child.pid if child is not None and child.poll() is None else None

    @property
    def waiting(self) -> int:
        """Requests asked and not yet answered."""
        return self._waiting

    async def ask(self, header: Mapping[str, Any], body: bytes = b"") -> PipeFrame:
        """The worker's reply, after the requests before it.

        Raises `QueueFull`, `WorkerLost`, `WorkerTimedOut` or `WorkerRefused`.
        """
        with self._lock:
            if self._waiting >= self._queue_limit:
                raise QueueFull(f"{self._waiting} requests wait for the speech worker already")
            self._waiting += 1
        answer = self._owner.submit(self._exchange_with_retry, encode(PipeFrame(header, body)))
        answer.add_done_callback(lambda _: self._one_less())
        return await asyncio.wrap_future(answer)

    async def close(self) -> None:
        """End the child and the thread that owns it. Requests still waiting are dropped."""
        await asyncio.to_thread(self._shut_down)

    def _shut_down(self) -> None:
        self._owner.shutdown(wait=True, cancel_futures=True)
        self._end_child()

    def _one_less(self) -> None:
        with self._lock:
            self._waiting -= 1

    def _exchange_with_retry(self, request: bytes) -> PipeFrame:
        try:
            reply = self._exchange(request)
        except WorkerLost:
            reply = self._exchange(request)
        if "error" in reply.header:
            raise WorkerRefused(f"{reply.header['error']}: {reply.header['message']}")
        return reply

    def _exchange(self, request: bytes) -> PipeFrame:
        child = self._running_child()
        assert child.stdin is not None and child.stdout is not None
        deadline = time.monotonic() + self._timeout_s
        try:
            child.stdin.write(request)
            child.stdin.flush()
            descriptor = child.stdout.fileno()
            reply = read_frame(lambda count: _read_exactly(descriptor, count, deadline))
        except TimeoutError as error:
            self._end_child()
            raise WorkerTimedOut(f"no answer within {self._timeout_s:g} s") from error
        except BrokenPipeError:
            reply = None
        if reply is None:
            code = self._end_child()
            raise WorkerLost(
                f"the speech worker ended with status {code} in the middle of a request"
            )
        return reply

    def _running_child(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._child.poll() is not None:
            self._end_child()
            search_path = os.pathsep.join(
                filter(None, [str(_PROJECT_ROOT), os.environ.get("PYTHONPATH")])
            )
            self._child = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": search_path, **self._environment},
            )
        return self._child

    def _end_child(self) -> int | None:
        child, self._child = self._child, None
        if child is None:
            return None
        assert child.stdin is not None and child.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            child.stdin.close()
        try:
            child.wait(_END_GRACE_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        child.stdout.close()
        return child.returncode


def _read_exactly(descriptor: int, count: int, deadline: float) -> bytes:
    """`count` bytes from the pipe, fewer if it ends; `TimeoutError` after `deadline` (monotonic
    seconds)."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    pieces: list[bytes] = []
    while count > 0:
        left_s = deadline - time.monotonic()
        if left_s <= 0 or not poll.poll(left_s * 1_000):
            raise TimeoutError
        piece = os.read(descriptor, min(count, 1 << 16))
        if not piece:
            break
        pieces.append(piece)
        count -= len(piece)
    return b"".join(pieces)
