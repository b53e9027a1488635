"""./sofia lock: compiles requirements/*.txt, with hashes and without an index's address."""

from __future__ import annotations

import argparse
import subprocess
import sys

from local.cloud.state import HOME


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions")


def run(options: argparse.Namespace) -> int:
    uv = [str(HOME / "uv" / "bin" / "python"), "-m", "uv", "pip", "compile", "--quiet"]
    how = ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-emit-index-url"]
    how += ["--no-annotate", "--custom-compile-command", "./sofia lock"]
    for group in ("dev", "functions", "media", "local"):
        target = f"requirements/{group}.txt"
        # Everything is the same version everywhere: the widest set decides.
        limits = [] if group == "dev" else ["--constraint", "requirements/dev.txt"]
        upgrade = ["--upgrade"] if options.upgrade and group == "dev" else []
        command = [*uv, *how, *limits, *upgrade, f"requirements/{group}.in", "-o", target]
        if subprocess.run(command, check=False).returncode:
            print(f"sofia: {target} could not be compiled", file=sys.stderr)
            return 1
    return 0
