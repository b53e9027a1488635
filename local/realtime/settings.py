"""How the emulated service behaves: its pace, and the faults that a test switches on."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Faults:
    """All off by default. Counts say how often a fault strikes before it is used up."""

    refuse_upgrades: int = 0
    fail_responses: int = 0
    fail_code: str = "rate_limit_exceeded"
    close_mid_response: int = 0
    close_code: int = 1011
    expire_after_s: float | None = None
    stall_responses: int = 0
    transcription_delay_s: float = 0.0
    transcription_fails: bool = False
    missing_usage: bool = False
    unknown_events: bool = False
    odd_deltas: bool = False


@dataclass(frozen=True, slots=True)
class EmulatorSettings:
    """`think_ms` is the time from a request to the first sound, plus or minus `jitter_ms` (seeded); `pace` is how
    much faster than real time sound is made, `reading_pace` the same in a session without turn detection: nobody is
    on the line there."""

    api_key: str = "local"
    port: int = 0
    think_ms: int = 600
    jitter_ms: int = 200
    pace: float = 4.0
    reading_pace: float = 60.0
    seed: int = 1
    models: tuple[str, ...] = (
        "gpt-realtime-2.1",
        "gpt-realtime-2.1-mini",
        "gpt-realtime-2",
        "gpt-realtime-1.5",
        "gpt-realtime",
    )
    faults: Faults = field(default_factory=Faults)
