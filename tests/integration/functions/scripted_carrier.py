"""A carrier that answers as a script says, on a real socket, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
import urllib.parse
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

OWN_NUMBER = "+34400000012"


@dataclass(frozen=True, slots=True)
class Asked:
    method: str
    path: str
    form: dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Reply:
    """`status` 0 closes the connection without an answer."""

    status: int
    body: Any = field(default_factory=dict)


def created(sid: str = "CA1") -> Reply:
    return Reply(201, a_call(sid, "queued"))


def a_call(
    sid: str,
    status: str,
    from_number: str = OWN_NUMBER,
    at: datetime | None = None,
    **more: Any,
) -> dict[str, Any]:
    """The carrier's record of a call."""
    created_at = format_datetime(at or datetime.now(UTC))
    return {"sid": sid, "status": status, "from": from_number, "date_created": created_at, **more}


def a_list(*calls: dict[str, Any]) -> Reply:
    return Reply(200, {"calls": list(calls), "page": 0, "page_size": 50, "next_page_uri": None})


def an_error(status: int, code: int) -> Reply:
    return Reply(status, {"code": code, "message": "no", "status": status})


class ScriptedCarrier:
    """Answers in order; a request without a line in the script fails the test by an unreadable answer."""

    def __init__(self) -> None:
        self.script: deque[Reply] = deque()
        self.asked: list[Asked] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def will(self, *replies: Reply) -> None:
        self.script.extend(replies)

    def asked_to(self, method: str) -> list[Asked]:
        return [one for one in self.asked if one.method == method]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self._answer("POST", urllib.parse.parse_qs(body, keep_blank_values=True))

            def do_GET(self) -> None:
                self._answer("GET", {})

            def _answer(self, method: str, form: dict[str, list[str]]) -> None:
                outer.asked.append(Asked(method, self.path, form))
                reply = outer.script.popleft() if outer.script else Reply(0)
                if reply.status == 0:
                    self.connection.close()
                    return
                text = reply.body if isinstance(reply.body, str) else json.dumps(reply.body)
                self.send_response(reply.status)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: object) -> None:
                pass

        return Handler
