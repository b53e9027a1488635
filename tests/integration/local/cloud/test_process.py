"""Children never outlive whoever started them, however that one ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from local.cloud.process import Child

ROOT = Path(__file__).parents[4]
WITHIN_S = 15.0
FAMILY = "tests.integration.local.cloud.family"
PARENT = f"""
import runpy, sys
import local.commands.test as command
command.LINTERS = (("{FAMILY}", sys.argv.pop()),)
sys.argv = ["sofia", "test", "--only", "lint"]
runpy.run_module("local", run_name="__main__")
"""


def ids(file: Path) -> list[int]:
    until = time.monotonic() + WITHIN_S
    while not (file.exists() and file.read_text().count(" ")):
        assert time.monotonic() < until, "the family did not start"
        time.sleep(0.02)
    return [int(word) for word in file.read_text().split()]


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def assert_gone(pids: list[int]) -> None:
    until = time.monotonic() + WITHIN_S
    while any(is_running(pid) for pid in pids):
        assert time.monotonic() < until, "somebody is left"
        time.sleep(0.02)


def test_a_child_that_is_stopped_takes_its_own_children_along(tmp_path: Path) -> None:
    child = Child([sys.executable, "-m", FAMILY, str(tmp_path / "ids")], tmp_path / "log")
    family = ids(tmp_path / "ids")
    child.stop()
    assert not any(is_running(pid) for pid in family)


@pytest.mark.parametrize("code", [0, 3])
def test_a_child_that_ends_by_itself_leaves_its_status(tmp_path: Path, code: int) -> None:
    child = Child([sys.executable, "-c", f"raise SystemExit({code})"], tmp_path / "log")
    assert child.wait() == code
    child.stop()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL])
def test_a_step_of_the_test_command_ends_with_it(tmp_path: Path, number: int) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path / "ids")],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.DEVNULL,
    )
    family = ids(tmp_path / "ids")
    parent.send_signal(number)
    status = parent.wait(WITHIN_S)
    assert status == (-number if number == signal.SIGKILL else 128 + number)
    assert_gone(family)
