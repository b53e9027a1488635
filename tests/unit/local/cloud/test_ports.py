"""Held ports: nobody else is given them, servers may listen on them."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

import pytest

from local.cloud.ports import HeldPort

# Linux's <linux/in.h>; Python has no name for it.
IP_LOCAL_PORT_RANGE = 51


@pytest.fixture
def held() -> Iterator[HeldPort]:
    port = HeldPort()
    yield port
    port.close()


def whoever_asks_for_any(number: int) -> socket.socket:
    """A socket that asks for any port of a range in which there is only this one."""
    anybody = socket.socket()
    anybody.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    lowest_and_highest = struct.pack("=I", number << 16 | number)
    try:
        anybody.setsockopt(socket.IPPROTO_IP, IP_LOCAL_PORT_RANGE, lowest_and_highest)
    except OSError:
        anybody.close()
        pytest.skip("this kernel (before Linux 6.3) lets no socket choose its range of ports")
    return anybody


def test_a_server_listens_on_a_held_port(held: HeldPort) -> None:
    with (
        socket.create_server(("127.0.0.1", held.number)) as server,
        socket.create_connection(("127.0.0.1", held.number), 5) as caller,
    ):
        server.settimeout(5)
        connection, who = server.accept()
        with connection:
            assert who == caller.getsockname()
            caller.sendall(b"hello")
            connection.settimeout(5)
            assert connection.recv(5, socket.MSG_WAITALL) == b"hello"


def test_a_held_port_is_given_to_nobody_who_asks_for_any(held: HeldPort) -> None:
    with whoever_asks_for_any(held.number) as anybody:
        with pytest.raises(OSError, match="in use"):
            anybody.bind(("127.0.0.1", 0))
        # Not for another reason: once it is given back, they get it.
        held.close()
        anybody.bind(("127.0.0.1", 0))
        assert anybody.getsockname()[1] == held.number


def test_a_connection_that_goes_out_does_not_get_a_held_port(held: HeldPort) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        whoever_asks_for_any(held.number) as anybody,
    ):
        with pytest.raises(OSError, match="Cannot assign"):
            anybody.connect(server.getsockname())
        held.close()
        anybody.connect(server.getsockname())
        assert anybody.getsockname()[1] == held.number


def test_a_port_on_which_somebody_listens_cannot_be_held() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(OSError, match="in use"):
        HeldPort(server.getsockname()[1])


def test_a_port_given_back_is_free() -> None:
    port = HeldPort()
    # Without SO_REUSEADDR: whoever sets it may bind to a port that is only held.
    with socket.socket() as anybody:
        with pytest.raises(OSError, match="in use"):
            anybody.bind(("127.0.0.1", port.number))
        port.close()
        port.close()
        anybody.bind(("127.0.0.1", port.number))
        assert anybody.getsockname()[1] == port.number
