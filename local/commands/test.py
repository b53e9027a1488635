"""./sofia test: linters, types, tests. At most 15 minutes on two cores."""

from __future__ import annotations

import argparse
import sys
import time

from local.cloud.process import Child

KINDS = ("lint", "unit", "integration", "e2e")
LINTERS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy", "shared", "functions", "media_service", "local", "infra"),
)
# A file stays in one process, and so do the servers that it shares.
SIDE_BY_SIDE = ("-n", "2", "--dist", "loadfile")
# pytest's status where it found no test.
NO_TESTS = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-k", metavar="EXPR", help="only tests whose names match (pytest)")
    parser.add_argument(
        "--only", choices=KINDS, action="append", help="only this kind; may be repeated"
    )


def run(options: argparse.Namespace) -> int:
    commands = steps(options.only or KINDS, options.k)
    if not commands:
        _say("nothing to run: -k selects tests, and --only lint has none")
        return 1
    began_s = time.monotonic()
    failed, empty = [], 0
    for number, command in enumerate(commands, 1):
        _say(f"step {number} of {len(commands)}: {' '.join(command)}")
        status = _status_of(command)
        if status == NO_TESTS and command[0] == "pytest":
            empty += 1
        elif status:
            failed.append(command[0])
    took_s = time.monotonic() - began_s
    if empty == len(commands):
        _say("no test matches: nothing was run")
        return 1
    _say(f"{'failed: ' + ', '.join(failed) if failed else 'passed'}, {took_s:.0f} s")
    return 1 if failed else 0


def steps(kinds: tuple[str, ...] | list[str], expression: str | None) -> list[tuple[str, ...]]:
    """The commands, modules of Python with their arguments. An expression selects tests, so it leaves linters out."""
    found = list(LINTERS) if "lint" in kinds and not expression else []
    selection = ("-k", expression) if expression else ()
    small = [f"tests/{kind}" for kind in ("unit", "integration") if kind in kinds]
    if small:
        found.append(("pytest", *SIDE_BY_SIDE, *small, *selection))
    if "e2e" in kinds:
        # Whole calls in real time want the machine for themselves.
        found.append(("pytest", "tests/e2e", *selection))
    return found


def _status_of(command: tuple[str, ...]) -> int:
    """Run it on our terminal. It never outlives us: when we are told to end, it and all that it started end first."""
    child = Child([sys.executable, "-m", *command], None)
    try:
        return child.wait()
    finally:
        child.stop()


def _say(text: str) -> None:
    print(f"sofia: {text}", file=sys.stderr, flush=True)
