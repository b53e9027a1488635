"""Where a running twin keeps its files: a folder of its own under `.sofia/`, gone when it ends."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

PROJECT = Path(__file__).parents[2]
HOME = PROJECT / ".sofia"
_FINGERPRINT_LENGTH = 16


def open_folder() -> Path:
    """A fresh folder for this process; those of processes that died are cleared away."""
    runs = HOME / "run"
    runs.mkdir(parents=True, exist_ok=True)
    return own_folder(runs, "")


def open_shared_folder(prefix: str) -> Path:
    """The same in the system's temporary folder, which every user may enter."""
    return own_folder(Path(tempfile.gettempdir()), prefix)


def own_folder(above: Path, prefix: str) -> Path:
    """A fresh folder in `above` for this process; those of processes that died are cleared away."""
    for old in above.glob(f"{prefix}*-*"):
        owner = old.name.removeprefix(prefix).partition("-")[0]
        if owner.isdigit() and not _is_alive(int(owner)):
            shutil.rmtree(old, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{prefix}{os.getpid()}-", dir=above))


def close_folder(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def kept_folder(name: str) -> Path:
    """A folder that outlives the twin: caches."""
    folder = HOME / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def fingerprint(*sources: Path, more: str = "") -> str:
    """Changes with any of these files, and with the Python files in these folders."""
    digest = hashlib.sha256(more.encode())
    for source in sources:
        for path in sorted(source.rglob("*.py")) if source.is_dir() else (source,):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:_FINGERPRINT_LENGTH]


def last_lines(log: Path, size: int = 1_500) -> str:
    """The end of a log, for an error's text: the folder goes when the twin does."""
    return log.read_text(errors="replace")[-size:] if log.exists() else "(no log)"


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
