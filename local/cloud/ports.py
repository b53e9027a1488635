"""Ports of loopback that nobody else is given while the twin runs."""

from __future__ import annotations

import contextlib
import socket


class HeldPort:
    """A port, bound but not listened on: the system gives it to nobody who asks for any port, nor to a connection
    that goes out. A server that sets SO_REUSEADDR, as all of the twin do, may listen on it at any time. Linux only.

    `number` 0 takes any free port. Raises OSError where somebody listens on it.
    """

    def __init__(self, number: int = 0) -> None:
        with contextlib.ExitStack() as stack:
            self._socket = stack.enter_context(socket.socket())
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind(("127.0.0.1", number))
            stack.pop_all()
        self.number = int(self._socket.getsockname()[1])

    def close(self) -> None:
        """Give the port back. Idempotent."""
        self._socket.close()
