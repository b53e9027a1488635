"""A call as people follow it: the conversation as it happens, then what came of it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

_NAMES = {"agent": "Sofía", "callee": "Persona"}
_STYLES = {"agent": "cyan", "callee": "green"}


class LiveView:
    """Prints each turn when it ends, each tool when it ran. Plain text where the output is no terminal."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False, soft_wrap=True)
        self._status = ""
        self._turns: dict[int, str | None] = {}
        self._tools = 0

    def show(self, report: dict[str, Any]) -> None:
        """Print what is new in a report."""
        if report["status"] != self._status:
            self._status = report["status"]
            self._console.print(f"[dim]· {_STATUS.get(self._status, self._status)}[/]")
        new: list[tuple[int, Callable[[], None]]] = []
        for tool in report["tools"][self._tools :]:
            new.append((tool["at_ms"], partial(self._tool, tool)))
        self._tools = len(report["tools"])
        for turn in report["turns"]:
            # The callee's words arrive after the turn ended: it is printed once they are there.
            if turn["heard"] is None or self._turns.get(turn["n"]) == turn["heard"]:
                continue
            self._turns[turn["n"]] = turn["heard"]
            new.append((turn["started_ms"], partial(self._turn, turn)))
        for _, tell in sorted(new, key=lambda entry: entry[0]):
            tell()

    def _tool(self, tool: dict[str, Any]) -> None:
        values = escape(", ".join(f"{k}={v}" for k, v in tool["arguments"].items()))
        mark = "" if tool["done"] else " (refused)"
        self._console.print(f"[yellow]{_clock(tool['at_ms'])}  ⚙ {tool['name']}({values}){mark}[/]")

    def _turn(self, turn: dict[str, Any]) -> None:
        who = turn["who"]
        text = escape(turn["heard"])
        if turn["interrupted"]:
            text += " ✂ interrupted"
        line = f"{_clock(turn['started_ms'])}  {_NAMES[who]:8}{text}"
        self._console.print(f"[{_STYLES[who]}]{line}[/]")
        waterfall = turn.get("waterfall_ms")
        if waterfall and waterfall["gap"] is not None:
            parts = ("detector", "decision", "model", "sending", "carrier")
            shown = " · ".join(
                f"{name} {waterfall[name]}" for name in parts if waterfall[name] is not None
            )
            self._console.print(f"[dim]{'':18}gap {waterfall['gap']} ms = {shown}[/]")

    def summary(self, report: dict[str, Any], extra: dict[str, str]) -> None:
        """Outcome, fields with quotes, latencies, cost."""
        console = self._console
        console.print()
        console.print(
            f"[bold]{report['status']}[/], {report['end_reason']}, outcome [bold]{report['outcome']}[/], "
            f"next step {report['next_step']}"
        )
        if report["summary"]:
            console.print(escape(report["summary"]))
        table = _extracted(report["extracted"])
        if table.row_count:
            console.print(table)
        heard = ", ".join(f"{name} {_clock(ms).strip()}" for name, ms in report["duties"].items())
        console.print(f"Duties heard: {heard or 'none'}")
        latency = report["latency_ms"]
        console.print(
            f"First sound {latency['answer_to_first_audio']} ms after the answer, "
            f"{latency['callee_end_to_opening']} ms after the callee's first words; "
            f"turn gap p50 {latency['turn_p50']} ms, p95 {latency['turn_p95']} ms, "
            f"our own share at most {latency['own_max']} ms"
        )
        self._cost(report["cost_usd"])
        for name, value in extra.items():
            console.print(f"{name}: {value}")

    def _cost(self, cost: dict[str, float]) -> None:
        table = Table("cost", "USD", title_justify="left")
        for name, amount in cost.items():
            if name != "total":
                table.add_row(name, f"{amount:.4f}")
        table.add_row("[bold]total[/]", f"[bold]{cost['total']:.4f}[/]")
        self._console.print(table)


def _extracted(fields: dict[str, Any]) -> Table:
    table = Table("field", "value", "turn", "quote", title="Extracted", title_justify="left")
    for name, field in fields.items():
        if name == "opt_out":
            if field["requested"]:
                quote = escape(field["quote"] or "")
                table.add_row("opt_out", field["reference"] or "yes", "", quote)
            continue
        value = field["value"]
        shown = ", ".join(value) if isinstance(value, list) else str(value)
        table.add_row(name, escape(shown), str(field["turn"]), escape(field["quote"]))
    return table


_STATUS = {
    "queued": "queued: the gate said yes",
    "dialing": "dialling",
    "ringing": "ringing",
    "in_progress": "answered",
    "ended": "over; reading what it led to",
    "analysed": "analysed",
    "denied": "denied by the gate",
}


def progress(text: str) -> None:
    """A line on standard error about what takes time."""
    print(f"sofia: {text}", file=sys.stderr, flush=True)


def _clock(ms: int) -> str:
    return f"{ms / 1_000:6.1f}"
