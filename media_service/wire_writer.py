"""Writing WebSocket frames at once and in order.

`await connection.send()` can yield between two frames, so that a `clear` could overtake sound that another task is
still sending. Here frames go to the transport synchronously; a peer that does not read is cut off at a high-water mark
instead of filling memory.
"""

from __future__ import annotations

import logging

from websockets.asyncio.connection import Connection
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State

log = logging.getLogger(__name__)

# About a minute of telephone sound as JSON; a peer that is this far behind is gone.
HIGH_WATER_BYTES = 1_000_000


class FrameWriter:
    """Text frames on one connection."""

    def __init__(self, connection: Connection, peer: str) -> None:
        self._connection = connection
        self._peer = peer
        self.overrun = False

    def send(self, frame: bytes) -> bool:
        """Write one text frame. False if the connection is closing or was cut for not reading."""
        connection = self._connection
        if connection.protocol.state is not State.OPEN or self.overrun:
            return False
        transport = connection.transport
        if transport.get_write_buffer_size() > HIGH_WATER_BYTES:
            self.overrun = True
            log.warning("peer does not read, cutting it off", extra={"peer": self._peer})
            transport.abort()
            return False
        try:
            connection.protocol.send_text(frame)
            connection.send_data()
        except ConnectionClosed:
            return False
        return True
