"""Paths as the user gave them: `./sofia` changes into the project's folder before Python starts."""

from __future__ import annotations

import os
from pathlib import Path


def as_given(path: Path) -> Path:
    """`path` as seen from the folder in which the command was started."""
    return Path(os.environ.get("SOFIA_STARTED_FROM", ".")) / path
