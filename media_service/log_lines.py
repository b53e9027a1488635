"""The log: one JSON object a line on standard error, constant messages, and only fields that were meant for it."""

from __future__ import annotations

import json
import logging
import sys
import time

# Their lines name callers' numbers and every health check.
_QUIET = ("twilio", "botocore", "websockets")


class JsonLines(logging.Formatter):
    """Formats records."""

    _FIELDS = (
        "call_id",
        "leg",
        "cause",
        "code",
        "tool",
        "peer",
        "error",
        "attempt",
        "calls",
        "count",
    )

    def format(self, record: logging.LogRecord) -> str:
        body: dict[str, object] = {
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        body |= {name: getattr(record, name) for name in self._FIELDS if hasattr(record, name)}
        if record.exc_info:
            body["exception"] = self.formatException(record.exc_info)
        return json.dumps(body, ensure_ascii=False)


def log_json_lines() -> None:
    """Set the process's log up."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
