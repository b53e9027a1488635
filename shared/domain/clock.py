"""The one source of time: every process asks a `Clock` and nothing else."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Wall time for records and rules, monotonic time for durations."""

    def now(self) -> datetime:
        """The current moment, aware, in UTC."""
        ...

    def monotonic_ms(self) -> float:
        """Milliseconds since an arbitrary start; never goes back and is not moved by clock settings."""
        ...
