"""The frames that travel between the twin and its speech workers: a JSON header and a body of
bytes.

    4 bytes header length | 4 bytes body length | header (JSON, UTF-8) | body

Both lengths are big-endian and unsigned. One request is answered by one reply, in order.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_LENGTHS = struct.Struct(">II")
LENGTHS_BYTES = _LENGTHS.size
MAX_FRAME_BYTES = 32 * 1024 * 1024
"""About an hour of mu-law: far beyond any request, small enough to end on a stream out of step."""


class FrameBroken(Exception):
    """The stream is out of step: the lengths make no sense."""


@dataclass(frozen=True, slots=True)
class PipeFrame:
    """One request or reply."""

    header: Mapping[str, Any]
    body: bytes = b""


def encode(frame: PipeFrame) -> bytes:
    header = json.dumps(frame.header, ensure_ascii=False).encode()
    return _LENGTHS.pack(len(header), len(frame.body)) + header + frame.body


def read_frame(read_exactly: Callable[[int], bytes]) -> PipeFrame | None:
    """The next frame, or None when the stream has ended.

    `read_exactly(n)` returns n bytes, fewer only at the end of the stream.
    """
    lengths = read_exactly(LENGTHS_BYTES)
    if len(lengths) < LENGTHS_BYTES:
        return None
    header_bytes, body_bytes = _LENGTHS.unpack(lengths)
    if header_bytes + body_bytes > MAX_FRAME_BYTES:
        raise FrameBroken(f"a frame of {header_bytes + body_bytes} bytes is beyond the limit")
    payload = read_exactly(header_bytes + body_bytes)
    if len(payload) < header_bytes + body_bytes:
        return None
    return PipeFrame(json.loads(payload[:header_bytes]), payload[header_bytes:])
