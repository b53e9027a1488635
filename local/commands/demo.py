"""./sofia demo: one whole call on this machine, without any account."""

from __future__ import annotations

import argparse
import asyncio
import gc
from pathlib import Path

from local.cloud.ground import Ground
from local.progress import progress

DEFAULT_PERSONA = "p00"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--persona", metavar="ID", default=DEFAULT_PERSONA, help="who answers")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--record", metavar="DIR", type=Path, help="where the recording goes")
    parser.add_argument(
        "--svg", metavar="FILE", type=Path, help="what the terminal shows, as a picture"
    )


def run(options: argparse.Namespace) -> int:
    progress("starting the twin ...")
    with Ground() as ground:
        # Two seconds of imports, in which the servers come up; a collector that looked at every new class again and
        # again would make it two and a half.
        gc.disable()
        from local.demo import demo

        gc.enable()
        try:
            return asyncio.run(demo(options, ground))
        except (asyncio.CancelledError, KeyboardInterrupt):
            return 130
