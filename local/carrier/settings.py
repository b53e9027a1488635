"""An emulated account, its timeline, and the faults that a test switches on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Faults:
    """All off by default."""

    duplicate_callbacks: bool = False
    reorder_callbacks: bool = False
    drop_events: frozenset[str] = frozenset()
    callback_before_answer: bool = False
    too_many_requests: int = 0
    fail_after_creating: int = 0
    bad_signature: bool = False
    missing_signature: bool = False
    stall_ms: int = 0
    stall_at_ms: int = 0
    odd_frames: bool = False
    no_close: bool = False
    abrupt_reset: bool = False
    machine_verdict_twice: bool = False
    hang_up_error_400: bool = False


@dataclass(frozen=True, slots=True)
class CarrierSettings:
    """`public_urls` maps origins as the application believes them (and which are signed) to real local ones."""

    account_sid: str
    auth_token: str
    owned_numbers: frozenset[str]
    public_urls: Mapping[str, str]
    allowed_prefixes: tuple[str, ...] = ("+34",)
    blocked_numbers: frozenset[str] = frozenset()
    calls_per_second: float = 1.0
    initiated_after_ms: int = 50
    ringing_after_ms: int = 300
    record_folder: Path | None = None
    port: int = 0
    faults: Faults = field(default_factory=Faults)

    def local_url(self, url: str) -> str:
        """Where a public address really is."""
        for public, real in self.public_urls.items():
            if url.startswith(public):
                return real + url[len(public) :]
        return url
