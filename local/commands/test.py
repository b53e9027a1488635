"""./sofia test: linters, types, tests. At most 15 minutes on two cores."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time

KINDS = ("lint", "unit", "integration", "e2e")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-k", metavar="EXPR", help="only tests whose names match (pytest)")
    parser.add_argument(
        "--only", choices=KINDS, action="append", help="only this kind; may be repeated"
    )


def run(options: argparse.Namespace) -> int:
    kinds = options.only or list(KINDS)
    if options.k:
        kinds = [kind for kind in kinds if kind != "lint"]
    began_s = time.monotonic()
    status = 0
    if "lint" in kinds:
        for command in (
            ["ruff", "check", "."],
            ["ruff", "format", "--check", "."],
            ["mypy", "shared", "functions", "media_service", "local", "infra"],
        ):
            status |= _step(command)
    folders = [f"tests/{kind}" for kind in kinds if kind != "lint"]
    if folders:
        # The last lines printed are pytest's own.
        selection = ["-k", options.k] if options.k else []
        status |= _step(["pytest", *folders, *selection])
    print(f"sofia: {time.monotonic() - began_s:.0f} s", file=sys.stderr)
    return 1 if status else 0


def _step(command: list[str]) -> int:
    print(f"sofia: {' '.join(command)}", file=sys.stderr, flush=True)
    return subprocess.run([sys.executable, "-m", *command], check=False).returncode
