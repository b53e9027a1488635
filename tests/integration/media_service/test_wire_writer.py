"""Frames are written at once, and a peer that does not read is cut off instead of filling memory."""

from __future__ import annotations

import asyncio
import logging

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from media_service.wire_writer import HIGH_WATER_BYTES, FrameWriter


async def test_frames_arrive_in_the_order_in_which_they_were_written() -> None:
    sent: list[bool] = []
    done = asyncio.Event()

    async def handle(connection: ServerConnection) -> None:
        writer = FrameWriter(connection, "phone")
        sent.extend(writer.send(f"frame {n}".encode()) for n in range(100))
        await connection.wait_closed()
        sent.append(writer.send(b"too late"))
        done.set()

    async with serve(handle, "127.0.0.1", 0, compression=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with connect(f"ws://127.0.0.1:{port}", proxy=None) as socket:
            assert [await socket.recv() for _ in range(100)] == [f"frame {n}" for n in range(100)]
        await asyncio.wait_for(done.wait(), 5)
        assert sent == [True] * 100 + [False]


async def test_a_peer_that_does_not_read_is_cut_off_at_the_high_water_mark(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    buffered: list[int] = []
    ends: list[tuple[bool, bool]] = []
    done = asyncio.Event()

    async def handle(connection: ServerConnection) -> None:
        writer = FrameWriter(connection, "phone")
        frame = b"x" * 10_000
        while writer.send(frame):
            buffered.append(connection.transport.get_write_buffer_size())
        ends.append((writer.overrun, writer.send(frame)))
        await connection.wait_closed()
        done.set()

    async with serve(handle, "127.0.0.1", 0, compression=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        socket = await connect(f"ws://127.0.0.1:{port}", proxy=None, max_queue=1)
        await asyncio.wait_for(done.wait(), 10)
        assert HIGH_WATER_BYTES < max(buffered) < HIGH_WATER_BYTES + 100_000
        assert ends == [(True, False)]
        assert caplog.text.count("peer does not read") == 1
        socket.transport.abort()
