"""The worker's side of the pipe: read a request, answer it, until the parent goes away."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable
from typing import BinaryIO

from local.speech.errors import SpeechError
from local.speech.pipe_frames import PipeFrame, encode, read_frame

Handler = Callable[[PipeFrame], PipeFrame]


def serve(handler: Handler) -> None:
    """Answer requests from stdin on stdout. Ends when the parent's end of the pipe closes, however
    the parent died.

    Ctrl-C in the terminal reaches the whole process group; it is left to the parent, which then
    closes the pipe.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    requests = os.fdopen(os.dup(sys.stdin.fileno()), "rb")
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    _keep_prints_off_the_pipe()
    try:
        while (request := read_frame(requests.read)) is not None:
            replies.write(encode(_answer(handler, request)))
            replies.flush()
    except BrokenPipeError:
        return
    finally:
        _close_quietly(replies)


def _answer(handler: Handler, request: PipeFrame) -> PipeFrame:
    try:
        return handler(request)
    except SpeechError as error:
        return PipeFrame({"error": type(error).__name__, "message": str(error)})


def _keep_prints_off_the_pipe() -> None:
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())


def _close_quietly(replies: BinaryIO) -> None:
    with contextlib.suppress(BrokenPipeError):
        replies.close()
