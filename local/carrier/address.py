"""Where the carrier sends a request of its own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Address:
    """An application's address, and for documents what is asked instead when that one fails."""

    url: str
    method: str = "POST"
    fallback: Address | None = None
