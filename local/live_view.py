"""A call as people follow it: the conversation as it happens, then what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

_NAMES = {"agent": "Sofía", "callee": "Persona"}
_OTHERS = {"agent": "callee", "callee": "agent"}
_STYLES = {"agent": "cyan", "callee": "green"}
_WAITING_MAX = 2
"""Turns that wait for the words of an earlier one. Noise never gets words: after so many more it is passed over."""
_MARK_MS_MAX = 1_000
"""A first mark comes back after 200 ms of sound. One that takes longer belongs to a beginning that was made anew."""


class LiveView:
    """Prints turns and tools in the order of their beginning. Plain text where the output is no terminal."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False, soft_wrap=True)
        self._status = ""
        self._turns_shown: set[int] = set()
        self._tools_shown = 0

    def show(self, report: dict[str, Any]) -> None:
        """Print what is new in a report."""
        over = report["status"] in ("ended", "analysed", "denied")
        for turn in self._due(report["turns"], over):
            self._tools(report["tools"], before_ms=turn["started_ms"])
            self._turn(turn, report["turns"])
            self._turns_shown.add(turn["n"])
        if over:
            self._tools(report["tools"], before_ms=None)
        if report["status"] != self._status:
            self._status = report["status"]
            self._console.print(f"[dim]· {_STATUS.get(self._status, self._status)}[/]")

    def _due(self, turns: Sequence[dict[str, Any]], over: bool) -> list[dict[str, Any]]:
        """Turns to print now. A turn is on record once it is over, and its words may come later still: those that
        began after it wait for it."""
        waiting = [
            turn
            for turn in sorted(turns, key=lambda turn: int(turn["n"]))
            if turn["heard"] is not None and turn["n"] not in self._turns_shown
        ]
        if over:
            return waiting
        following = max(self._turns_shown, default=0) + 1
        due: list[dict[str, Any]] = []
        for turn in waiting:
            if turn["n"] <= following or len(waiting) - len(due) > _WAITING_MAX:
                due.append(turn)
                following = turn["n"] + 1
        return due

    def _tools(self, tools: Sequence[dict[str, Any]], before_ms: int | None) -> None:
        for tool in tools[self._tools_shown :]:
            if before_ms is not None and tool["at_ms"] >= before_ms:
                return
            values = escape(", ".join(f"{k}={v}" for k, v in tool["arguments"].items()))
            mark = "" if tool["done"] else " (refused)"
            self._line(_clock(tool["at_ms"]), "⚙", f"{tool['name']}({values}){mark}", "yellow")
            self._tools_shown += 1

    def _turn(self, turn: dict[str, Any], turns: Sequence[dict[str, Any]]) -> None:
        who = turn["who"]
        text = escape(turn["heard"])
        if _cut_in_on(turn, turns):
            text = f"✂ {text}"
        if turn["interrupted"]:
            other = _NAMES[_OTHERS[who]]
            unheard = escape(_unheard(turn))
            text += f" [dim strike]{unheard}[/]" if unheard else ""
            text += f" [bold red]✂ {other} interrupts[/]"
        self._line(_clock(turn["started_ms"]), _NAMES[who], text, _STYLES[who])
        waterfall = turn.get("waterfall_ms")
        if waterfall and waterfall["gap"] is not None:
            self._line("", "", _waterfall(waterfall), "dim")

    def _line(self, clock: str, who: str, text: str, style: str) -> None:
        """Long texts are wrapped under their beginning where somebody looks at a terminal."""
        console = self._console
        if not (console.is_terminal or console.record):
            console.print(f"[{style}]{clock:8}{who:8}{text}[/]")
            return
        grid = Table.grid()
        grid.add_column(width=8)
        grid.add_column(width=8)
        grid.add_column(ratio=1)
        grid.add_row(clock, who, text, style=style)
        console.print(grid)

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
            console.print(f"{name}: {escape(value)}")

    def _cost(self, cost: dict[str, float]) -> None:
        table = Table("cost", "USD", title_justify="left")
        for name, amount in cost.items():
            if name != "total":
                table.add_row(name, f"{amount:.4f}")
        table.add_row("[bold]total[/]", f"[bold]{cost['total']:.4f}[/]")
        self._console.print(table)


def _cut_in_on(turn: dict[str, Any], turns: Sequence[dict[str, Any]]) -> bool:
    """Whether this turn is the one that interrupted another."""
    return any(
        other["interrupted"]
        and other["who"] != turn["who"]
        and other["started_ms"] < turn["started_ms"] <= other["ended_ms"]
        for other in turns
    )


def _unheard(turn: dict[str, Any]) -> str:
    """What was still to come when a turn was cut."""
    said, heard = (turn["said"] or "").split(), turn["heard"].split()
    return " ".join(said[len(heard) :]) if said[: len(heard)] == heard else ""


def _waterfall(parts: dict[str, Any]) -> str:
    """The gap and what it is made of; the carrier's part comes after it."""
    names = ("detector", "decision", "model", "sending")
    shown = " · ".join(f"{name} {parts[name]}" for name in names if parts[name] is not None)
    line = f"gap {parts['gap']} ms = {shown}"
    carrier = parts["carrier"]
    if carrier is None:
        return line
    if carrier > _MARK_MS_MAX:
        return f"{line}; begun anew, first heard whole after {carrier} ms"
    return f"{line}; carrier {carrier}"


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


def _clock(ms: int) -> str:
    return f"{ms / 1_000:6.1f}"
