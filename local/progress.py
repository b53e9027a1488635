"""What takes time says so on standard error. Imports nothing: it is the first thing a command does."""

from __future__ import annotations

import sys


def progress(text: str) -> None:
    """A line on standard error about what takes time."""
    print(f"sofia: {text}", file=sys.stderr, flush=True)
