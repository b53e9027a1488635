"""How the emulated service behaves: its pace, and the faults that a test switches on."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Expiry(StrEnum):
    """How a session's end by age shows: the service has done each of these."""

    ERROR_AND_CLOSE = "error_and_close"
    ERROR = "error"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Faults:
    """All off by default. Counts say how often a fault strikes in one session before it is used up (upgrades: in the
    service)."""

    refuse_upgrades: int = 0
    refuse_status: int = 503
    """401, 403, 429 or 503."""
    expire_after_s: float | None = None
    expiry: Expiry = Expiry.ERROR_AND_CLOSE
    server_error_after_s: float | None = None
    """An `error` event of type `server_error` out of the blue."""
    close_mid_response: int = 0
    """The socket goes away after some sound of a reply."""
    close_code: int = 1011
    """1006 breaks the connection without a close frame."""
    fail_responses: int = 0
    fail_code: str = "rate_limit_exceeded"
    """Also `insufficient_quota` and `server_error`."""
    incomplete_responses: int = 0
    incomplete_reason: str = "max_output_tokens"
    """Also `content_filter`."""
    stall_responses: int = 0
    """Created, and then nothing more."""
    late_done: int = 0
    """`response.done` comes only after the next `response.created`, or a second later."""
    slow_first_delta_ms: int = 0
    odd_deltas: bool = False
    """Sizes that are no multiple of a frame."""
    repeat_tool_calls: bool = False
    """A call's arguments are announced twice."""
    missing_usage: bool = False
    missing_rate_limits: bool = False
    transcription_delay_s: float = 0.0
    transcription_fails: bool = False
    transcription_empty: bool = False
    unknown_events: bool = False
    """An event of a type that no client knows goes before each other."""
    extra_fields: bool = False
    """Every event has a field that no client knows."""


@dataclass(frozen=True, slots=True)
class EmulatorSettings:
    """`think_ms` is the time from a request to the first sound, plus or minus `jitter_ms` (seeded); `pace` is how
    much faster than real time sound is made, `reading_pace` the same in a session without turn detection: nobody is
    on the line there. `cancel_ms` is the least and most that a client's cancellation takes; `closed_sessions_kept`
    are remembered with all their sound, the latest; `record_frames` keeps all that goes over each socket."""

    api_key: str = "local"
    port: int = 0
    think_ms: int = 600
    jitter_ms: int = 200
    pace: float = 4.0
    reading_pace: float = 60.0
    cancel_ms: tuple[int, int] = (20, 150)
    closed_sessions_kept: int = 50
    record_frames: bool = False
    seed: int = 1
    models: tuple[str, ...] = (
        "gpt-realtime-2.1",
        "gpt-realtime-2.1-mini",
        "gpt-realtime-2",
        "gpt-realtime-1.5",
        "gpt-realtime",
        "gpt-realtime-mini",
    )
    faults: Faults = field(default_factory=Faults)
