"""Whatever keeps the API from answering becomes one error that says what to do."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from local import api_client
from local.api_client import Api
from local.errors import NoTwin


@contextmanager
def listening(answer: bytes | None) -> Iterator[str]:
    """Takes one connection and answers so; None: never."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        over = threading.Event()

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                if answer is not None:
                    connection.recv(65_536)
                    connection.sendall(answer)
                else:
                    over.wait(10)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        over.set()
        thread.join()


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(NoTwin, match="start the twin"):
        Api(f"http://127.0.0.1:{port}", "k").call("GET", "/")


def test_a_host_that_does_not_exist() -> None:
    with pytest.raises(NoTwin, match="start the twin"):
        Api("http://nobody.invalid", "k").call("GET", "/")


def test_somebody_who_speaks_no_http() -> None:
    with listening(b"220 mail ready\r\n") as url, pytest.raises(NoTwin, match="start the twin"):
        Api(url, "k").call("GET", "/")


def test_an_answer_that_does_not_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_client, "WITHIN_S", 0.05)
    with listening(None) as url, pytest.raises(NoTwin, match=r"did not answer within 0\.05 s"):
        Api(url, "k").call("GET", "/")
