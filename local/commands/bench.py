"""./sofia bench: what can be measured without any account."""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
from collections import defaultdict
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from local.callee.checks import Check, CheckLevel, persona_passes
from local.callee.expectations import evaluate
from local.callee.persona import Persona, PersonaFile, load_personas
from local.heard_positions import heard_positions
from local.judging import call_report
from local.live_view import progress
from local.placing import CallTimedOut, place
from local.session import Session, open_session
from local.tenant_setup import set_up
from local.twin import TwinOptions
from local.user_paths import as_given

FUNCTIONS = (
    "authorizer",
    "call_creation",
    "dialer",
    "twilio_callbacks",
    "publisher",
    "reconciler",
    "tenants",
    "outcome_analysis",
    "history",
    "reports",
)
# These answer a carrier or stand before every request; the others may take longer to start.
WEBHOOKS = ("authorizer", "twilio_callbacks", "publisher")
MAX_RATIO = 1.5
COLD_RUNS = 7
_CLIENT = "import boto3; boto3.client('dynamodb', region_name='eu-west-1')"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    kinds = parser.add_subparsers(dest="kind", metavar="KIND", required=True)
    personas = kinds.add_parser(
        "personas", help="play personas by voice and check their expectations"
    )
    personas.add_argument("--runs", type=int, default=1, help="how often each is played")
    personas.add_argument("--ids", nargs="+", metavar="ID", help="only these")
    personas.add_argument("--file", type=Path, help="any file of the persona file's schema")
    personas.add_argument("--text-ears", action="store_true", help="words by a side channel")
    personas.add_argument("--json", action="store_true")
    cold = kinds.add_parser(
        "cold", help="import time of every function against boto3 with DynamoDB"
    )
    cold.add_argument("--json", action="store_true")


def run(options: argparse.Namespace) -> int:
    if options.kind == "cold":
        return _cold(options.json)
    file = load_personas(as_given(options.file)) if options.file else load_personas()
    wanted = [file.persona(i) for i in options.ids] if options.ids else list(file.personas)
    try:
        return asyncio.run(_personas(options, file, wanted))
    except (asyncio.CancelledError, KeyboardInterrupt):
        return 130


async def _personas(options: argparse.Namespace, file: PersonaFile, wanted: list[Persona]) -> int:
    results: dict[str, list[list[Check]]] = defaultdict(list)
    runs: list[dict[str, Any]] = []
    async with open_session(TwinOptions(), text_ears=options.text_ears, personas=file) as session:
        total = options.runs * len(wanted)
        for number in range(total):
            persona = wanted[number % len(wanted)]
            progress(f"run {number + 1} of {total}: {persona.id}")
            checks, report = await _play(session, persona, f"run-{number + 1}")
            results[persona.id].append(checks)
            runs.append(report)
            _tell(checks, report)
    passed = {
        name: sum(persona_passes(checks) for checks in all_checks)
        for name, all_checks in results.items()
    }
    if options.json:
        ears = "text" if options.text_ears else "voice"
        print(
            json.dumps(
                {"ears": ears, "runs": options.runs, "passed": passed, "calls": runs},
                ensure_ascii=False,
            )
        )
    else:
        _table(results, passed, options)
    return 0 if all(count == options.runs for count in passed.values()) else 1


def _tell(checks: list[Check], report: dict[str, Any]) -> None:
    """What failed, and the conversation in which it did."""
    for check in checks:
        if check.passed is False:
            where = check.moment or ""
            progress(f"  {check.level.value} {check.id}: {where} {check.detail}")
    if persona_passes(checks):
        return
    for turn in report.get("turns", []):
        cut = " ✂" if turn["interrupted"] else ""
        progress(f"    {turn['started_ms'] / 1_000:6.1f} {turn['who']:7}{turn['heard']}{cut}")


async def _play(
    session: Session, persona: Persona, tenant_id: str
) -> tuple[list[Check], dict[str, Any]]:
    """One call of a persona for a tenant of its own."""
    session.twin.clock.set_now(persona.call_at)
    api = await asyncio.to_thread(set_up, session.admin, tenant_id, session.personas.tenant)
    earlier = frozenset(session.twin.realtime.sessions)
    try:
        placed = await place(session.twin, api, persona, session.voice, board=session.board)
    except CallTimedOut as late:
        return [Check("call.ends", CheckLevel.HARD, False, None, str(late))], {
            "persona": persona.id
        }
    suppressed = session.twin.suppressions.find(tenant_id, persona.lead.phone) is not None
    checks = evaluate(persona, session.personas.common_expect, call_report(placed, suppressed))
    kept = {
        name: placed.report[name]
        for name in ("call_id", "outcome", "turns", "tools", "latency_ms", "cost_usd")
    }
    positions = heard_positions(
        [one for one in session.twin.realtime.sessions if one not in earlier],
        persona.lead.phone,
        placed.actor.account(),
    )
    return checks, {
        "persona": persona.id,
        "heard_position_errors_ms": [position.error_ms for position in positions],
        "checks": [asdict(c) for c in checks if c.passed is not None],
        **kept,
    }


def _table(
    results: dict[str, list[list[Check]]], passed: dict[str, int], options: argparse.Namespace
) -> None:
    ears = "text ears" if options.text_ears else "voice"
    table = Table(
        "persona", "passed", "failed hard checks", title=f"Personas by {ears}; the mind is a script"
    )
    for name, runs in results.items():
        failed = sorted(
            {
                c.id
                for checks in runs
                for c in checks
                if c.passed is False and c.level is CheckLevel.HARD
            }
        )
        table.add_row(name, f"{passed[name]}/{len(runs)}", ", ".join(failed))
    everybody = sum(count == options.runs for count in passed.values())
    Console().print(table)
    print(f"pass^{options.runs}: {everybody} of {len(passed)} personas")


def _cold(as_json: bool) -> int:
    baseline = _import_ms(_CLIENT)
    rows = {}
    for name in FUNCTIONS:
        milliseconds = _import_ms(f"import functions.{name}.handler; {_CLIENT}")
        rows[name] = {"ms": round(milliseconds, 1), "ratio": round(milliseconds / baseline, 2)}
    failed = [name for name in WEBHOOKS if rows[name]["ratio"] > MAX_RATIO]
    if as_json:
        print(json.dumps({"baseline_ms": round(baseline, 1), "functions": rows, "failed": failed}))
    else:
        table = Table(
            "function", "ms", "ratio", title="Import time against boto3 with a DynamoDB client"
        )
        table.add_row("boto3 + dynamodb", f"{baseline:.0f}", "1.00")
        for name, row in rows.items():
            mark = " (webhook)" if name in WEBHOOKS else ""
            table.add_row(name + mark, f"{row['ms']:.0f}", f"{row['ratio']:.2f}")
        Console().print(table)
    return 1 if failed else 0


def _import_ms(code: str) -> float:
    """Median of fresh processes, interpreter start excluded."""
    timed = f"import time; t = time.perf_counter(); {code}; print((time.perf_counter() - t) * 1000)"
    samples = []
    for _ in range(COLD_RUNS):
        output = subprocess.run(
            [sys.executable, "-c", timed], capture_output=True, text=True, check=True
        )
        samples.append(float(output.stdout))
    return sorted(samples)[COLD_RUNS // 2]
