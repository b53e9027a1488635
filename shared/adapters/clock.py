"""Clocks: the system's own, and one whose wall time the local twin can move for all its processes.

The twin writes an offset in seconds (little-endian float64) into a small file that each of its processes maps,
so that a campaign's week passes in minutes without a message to anybody. Production never sets the variable.
"""

from __future__ import annotations

import mmap
import os
import struct
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from shared.domain.clock import Clock

CLOCK_FILE_VARIABLE = "SOFIA_CLOCK_FILE"
_OFFSET = struct.Struct("<d")


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic_ms(self) -> float:
        return time.monotonic_ns() / 1e6


class SharedClock:
    """The machine's clock moved by the offset that stands in a file mapped by every process of the twin."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(_OFFSET.pack(0.0))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), _OFFSET.size)

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.offset_s)

    def monotonic_ms(self) -> float:
        return time.monotonic_ns() / 1e6

    @property
    def offset_s(self) -> float:
        """Seconds by which the wall time is ahead of the machine's."""
        (offset,) = _OFFSET.unpack(self._map[: _OFFSET.size])
        return float(offset)

    def set_now(self, moment: datetime) -> None:
        """Let it be `moment` (aware) from here on, in every process that maps the same file."""
        offset_s = (moment - datetime.now(UTC)).total_seconds()
        self._map[: _OFFSET.size] = _OFFSET.pack(offset_s)


def clock_from(environment: Mapping[str, str] = os.environ) -> Clock:
    """The shared clock where the environment names its file, else the system's."""
    path = environment.get(CLOCK_FILE_VARIABLE)
    return SharedClock(Path(path)) if path else SystemClock()
