"""Where a running twin keeps its files: a folder of its own under `.sofia/`, gone when it ends."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

PROJECT = Path(__file__).parents[2]
HOME = PROJECT / ".sofia"


def open_folder() -> Path:
    """A fresh folder for this process; those of processes that died are cleared away."""
    runs = HOME / "run"
    runs.mkdir(parents=True, exist_ok=True)
    return _own_folder(runs, "")


def open_shared_folder(prefix: str) -> Path:
    """The same in the system's temporary folder, which every user may enter."""
    return _own_folder(Path(tempfile.gettempdir()), prefix)


def _own_folder(above: Path, prefix: str) -> Path:
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
