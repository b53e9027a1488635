"""What went over a session's socket, for tests that hold it against the SDK's types."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Direction(StrEnum):
    FROM_CLIENT = "from_client"
    TO_CLIENT = "to_client"


@dataclass(frozen=True, slots=True)
class Frame:
    """One text frame, as it went."""

    direction: Direction
    text: str
