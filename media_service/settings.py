"""What the media service must be told, read once; a bad value stops the start."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from shared.config import SettingError, optional, required


@dataclass(frozen=True, slots=True)
class Settings:
    """`max_calls` and `max_lag_ms` are where a task refuses streams: the first is the operator's estimate of what one
    core bears, the second (median lag of the event loop) catches an estimate that was too high."""

    host: str
    port: int
    task_id: str
    live_table: str
    leads_table: str
    directory_table: str
    sounds_bucket: str
    public_stream_url: str
    realtime_url: str
    twilio_api_url: str | None
    twilio_secret_id: str
    openai_secret_id: str
    signing_secret_id: str
    max_calls: int
    max_lag_ms: int
    drain_s: int

    @classmethod
    def from_environment(cls) -> Settings:
        """Raises SettingError."""
        return cls(
            host=optional("HOST", "0.0.0.0"),
            port=_number("PORT", "8080"),
            task_id=optional("TASK_ID", socket.gethostname()),
            live_table=required("LIVE_TABLE"),
            leads_table=required("LEADS_TABLE"),
            directory_table=required("DIRECTORY_TABLE"),
            sounds_bucket=required("SOUNDS_BUCKET"),
            public_stream_url=required("PUBLIC_STREAM_URL"),
            realtime_url=optional("OPENAI_REALTIME_URL", "wss://api.openai.com/v1"),
            twilio_api_url=optional("TWILIO_API_BASE_URL") or None,
            twilio_secret_id=required("TWILIO_SECRET_ID"),
            openai_secret_id=required("OPENAI_SECRET_ID"),
            signing_secret_id=required("SIGNING_SECRET_ID"),
            max_calls=_number("MAX_CALLS", "100"),
            max_lag_ms=_number("MAX_LAG_MS", "100"),
            drain_s=_number("DRAIN_S", "110"),
        )


def _number(name: str, default: str) -> int:
    text = optional(name, default)
    if not text.isdecimal():
        raise SettingError(f"{name} must be a whole number")
    return int(text)
