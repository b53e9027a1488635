"""./sofia: the commands. Each module is imported only when its command runs."""

from __future__ import annotations

import argparse
import importlib
import signal
import sys

from shared.domain.errors import SofiaError

COMMANDS = {
    "demo": "ring one simulated salon owner and follow the call",
    "up": "keep the twin running until Ctrl-C",
    "call": "place a call on a running twin and follow it",
    "tenant": "administer tenants on a running twin or stack",
    "test": "run the checks and the tests",
    "bench": "measure: personas, cold",
    "lock": "compile requirements/*.txt from requirements/*.in",
}


def main(arguments: list[str]) -> int:
    """Run a command; gives its exit status."""
    parser = argparse.ArgumentParser(
        prog="sofia", description="Sofia, an outbound sales agent that talks."
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    wanted = next((word for word in arguments if word in COMMANDS), None)
    for name, summary in COMMANDS.items():
        sub = commands.add_parser(name, help=summary, description=summary)
        if name == wanted:
            importlib.import_module(f"local.commands.{name}").add_arguments(sub)
    options = parser.parse_args(arguments)
    try:
        status: int = importlib.import_module(f"local.commands.{options.command}").run(options)
    except SofiaError as error:
        print(f"sofia: {error}", file=sys.stderr)
        return 1
    return status


def _end(number: int, _frame: object) -> None:
    """As after Ctrl-C, whoever started something ends it on the way out."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _end)
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
