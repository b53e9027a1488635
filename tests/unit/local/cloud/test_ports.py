"""Held ports: nobody else is given them, servers may listen on them."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import pytest

from local.cloud.ports import HeldPort


@pytest.fixture
def held() -> Iterator[HeldPort]:
    port = HeldPort()
    yield port
    port.close()


def test_a_server_listens_on_a_held_port(held: HeldPort) -> None:
    with (
        socket.create_server(("127.0.0.1", held.number)) as server,
        socket.create_connection(("127.0.0.1", held.number)),
    ):
        connection, _ = server.accept()
        connection.close()


def test_a_held_port_is_given_to_nobody_who_asks_for_any(held: HeldPort) -> None:
    with contextlib.ExitStack() as stack:
        given = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(300)]
        assert held.number not in {server.getsockname()[1] for server in given}


def test_a_port_on_which_somebody_listens_cannot_be_held() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(OSError, match="in use"):
        HeldPort(server.getsockname()[1])


def test_a_port_given_back_is_free() -> None:
    port = HeldPort()
    port.close()
    port.close()
    HeldPort(port.number).close()
