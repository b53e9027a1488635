"""DynamoDB's batch write over HTTP, which can be away, or refuse a call's entries for good."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class BatchStore:
    """`items` by sort key within a call; `wait` sleeps until something holds of them."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], dict[str, Any]] = {}
        self.away = False
        self.refuses_call: str | None = None
        self.refused = 0
        self.news = threading.Condition()

    def put(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        with self.news:
            self.news.notify_all()
            if self.away:
                self.refused += 1
                return 503, {"__type": "ServiceUnavailable"}
            (requests,) = body["RequestItems"].values()
            items = [request["PutRequest"]["Item"] for request in requests]
            calls = {item["pk"]["S"] for item in items}
            if self.refuses_call is not None and f"CALL#{self.refuses_call}" in calls:
                return 400, {"__type": "com.amazon.coral.validate#ValidationException"}
            self.items |= {(item["pk"]["S"], item["sk"]["S"]): item for item in items}
            return 200, {"UnprocessedItems": {}}

    def wait(self, count: int, within_s: float = 20.0) -> bool:
        """Until so many entries are stored."""
        with self.news:
            return self.news.wait_for(lambda: len(self.items) >= count, within_s)

    def wait_for_refusals(self, count: int) -> bool:
        with self.news:
            return self.news.wait_for(lambda: self.refused >= count, 20.0)


@contextmanager
def batch_store() -> Iterator[tuple[BatchStore, str]]:
    """A store, and its address."""
    store = BatchStore()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            status, answer = store.put(json.loads(self.rfile.read(length)))
            text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield store, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
