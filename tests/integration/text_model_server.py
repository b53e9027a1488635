"""`POST /v1/responses` on a real socket: answers like the emulated service, or misbehaves as the script says."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from local.realtime.mind.analyst import RuleAnalyst
from local.realtime.responses_api import respond


class Misdeed(StrEnum):
    """What may go wrong with one request."""

    BUSY = "busy"
    FAULT = "fault"
    WRONG_KEY = "wrong_key"
    REFUSAL = "refusal"
    CUT_SHORT = "cut_short"
    OTHER_SHAPE = "other_shape"
    HANG_UP = "hang_up"
    SILENCE = "silence"


_STATUS = {Misdeed.BUSY: 429, Misdeed.FAULT: 500, Misdeed.WRONG_KEY: 401}


class TextModelServer(ThreadingHTTPServer):
    """`script` is used up one by one, then everything goes well. `requests` keeps the bodies."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.script: deque[Misdeed] = deque()
        self.requests: list[dict[str, Any]] = []
        self.given: dict[str, Any] = {}
        self.stopping = threading.Event()

    def answer_with(self, given: dict[str, Any]) -> None:
        """From here on these fields of the answer are what the test wants them to be."""
        self.given = given

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class _Answer(BaseHTTPRequestHandler):
    server: TextModelServer

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        body = json.loads(self.rfile.read(length))
        self.server.requests.append(body)
        misdeed = self.server.script.popleft() if self.server.script else None
        if misdeed is Misdeed.SILENCE:
            self.server.stopping.wait(30)
        if misdeed in (Misdeed.HANG_UP, Misdeed.SILENCE):
            self.close_connection = True
            return
        if misdeed in _STATUS:
            self._send(_STATUS[misdeed], {"error": {"message": "no", "type": "t", "code": None}})
            return
        answer = respond(body, RuleAnalyst())
        part = answer["output"][0]["content"][0]
        part["text"] = json.dumps(json.loads(part["text"]) | self.server.given)
        self._send(200, _spoilt(answer, misdeed))

    def _send(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        # No pause between tries.
        self.send_header("retry-after-ms", "1")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        pass


def _spoilt(answer: dict[str, Any], misdeed: Misdeed | None) -> dict[str, Any]:
    message = answer["output"][0]
    match misdeed:
        case Misdeed.REFUSAL:
            message["content"] = [{"type": "refusal", "refusal": "No puedo con SECRETO."}]
        case Misdeed.CUT_SHORT:
            answer |= {
                "status": "incomplete",
                "incomplete_details": {"reason": "max_output_tokens"},
            }
            message["content"][0]["text"] = message["content"][0]["text"][:40]
        case Misdeed.OTHER_SHAPE:
            message["content"][0]["text"] = '{"summary": "SECRETO"}'
        case _:
            pass
    return answer


@contextmanager
def text_model_server() -> Iterator[TextModelServer]:
    server = TextModelServer()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.stopping.set()
        server.shutdown()
        thread.join()
        server.server_close()
