"""./sofia bench: what can be measured without any account."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections import defaultdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from local.callee.checks import CheckLevel
from local.callee.persona import Persona, PersonaFile, load_personas
from local.cold_start import function_names, measure
from local.persona_runs import Run, play, side_by_side
from local.progress import progress
from local.session import TextEarsNotUsed, open_session, with_own_key
from local.twin import TwinOptions
from local.user_paths import as_given

# These answer a carrier or stand before every request; the others may take longer to start.
WEBHOOKS = ("authorizer", "twilio_callbacks", "publisher")
MAX_RATIO = 1.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    kinds = parser.add_subparsers(dest="kind", metavar="KIND", required=True)
    personas = kinds.add_parser(
        "personas", help="play personas by voice and check their expectations"
    )
    personas.add_argument("--runs", type=_count, default=1, help="how often each is played")
    personas.add_argument("--ids", nargs="+", metavar="ID", help="only these")
    personas.add_argument("--file", type=Path, help="any file of the persona file's schema")
    personas.add_argument("--text-ears", action="store_true", help="words by a side channel")
    personas.add_argument(
        "--at-once", type=_count, default=1, metavar="N", help="on so many twins side by side"
    )
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


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("give a number from 1 on")
    return int(text)


async def _personas(options: argparse.Namespace, file: PersonaFile, wanted: list[Persona]) -> int:
    """What was played is reported also where something stops the bench."""
    twin_options = with_own_key(TwinOptions())
    if options.text_ears and twin_options.openai_api_key:
        raise TextEarsNotUsed("the real model hears by itself: leave --text-ears out")
    about: dict[str, str] = {}
    runs: list[Run] = []
    try:
        if options.at_once > 1 and len(wanted) > 1:
            ids = [persona.id for persona in wanted]
            count = min(options.at_once, len(ids))
            shares = [ids[first::count] for first in range(count)]
            about, runs = await side_by_side(shares, _passed_on(options))
        else:
            async with open_session(
                twin_options, text_ears=options.text_ears, personas=file
            ) as session:
                about = session.stand_ins
                total = options.runs * len(wanted)
                for number in range(total):
                    persona = wanted[number % len(wanted)]
                    progress(f"run {number + 1} of {total}: {persona.id}")
                    runs.append(await play(session, persona, f"run-{number + 1}"))
                    _tell(runs[-1])
    finally:
        if runs:
            _report(options, about, runs)
    return 0 if len(runs) == options.runs * len(wanted) and all(r.passed for r in runs) else 1


def _passed_on(options: argparse.Namespace) -> list[str]:
    """For the processes that play a share each."""
    arguments = ["--runs", str(options.runs)]
    if options.file:
        arguments += ["--file", str(as_given(options.file).resolve())]
    return [*arguments, *(["--text-ears"] if options.text_ears else [])]


def _tell(run: Run) -> None:
    """What failed, and the conversation in which it did."""
    for check in run.checks:
        if check.passed is False:
            progress(f"  {check.level.value} {check.id}: {check.moment or ''} {check.detail}")
    if run.passed:
        return
    for turn in run.call.get("turns", []):
        cut = " ✂" if turn["interrupted"] else ""
        progress(f"    {turn['started_ms'] / 1_000:6.1f} {turn['who']:7}{turn['heard']}{cut}")


def _report(options: argparse.Namespace, about: dict[str, str], runs: list[Run]) -> None:
    by_persona: dict[str, list[Run]] = defaultdict(list)
    for run in runs:
        by_persona[run.persona].append(run)
    passed = {name: sum(run.passed for run in played) for name, played in by_persona.items()}
    if options.json:
        calls = [run.as_json() for run in runs]
        undecided = sum(run.undecided for run in runs)
        body = {**about, "runs": options.runs, "passed": passed, "not_decided": undecided}
        print(json.dumps({**body, "calls": calls}, ensure_ascii=False))
        return
    table = Table(
        *("persona", "passed", "failed hard checks", "failed soft checks", "not decided"),
        title=f"Personas; mind: {about.get('mind')}, ears: {about.get('ears')}",
    )
    for name, played in by_persona.items():
        hard, soft = (
            ", ".join(sorted({check for run in played for check in run.failed(level)}))
            for level in (CheckLevel.HARD, CheckLevel.SOFT)
        )
        open_questions = str(sum(run.undecided for run in played))
        table.add_row(name, f"{passed[name]}/{len(played)}", hard, soft, open_questions)
    everybody = sum(count == options.runs for count in passed.values())
    Console().print(table)
    print(f"pass^{options.runs}: {everybody} of {len(passed)} personas")
    print("not decided: questions for a judge, who is a person or a model")


def _cold(as_json: bool) -> int:
    names = function_names()
    found = measure(names)
    failed = [name for name in WEBHOOKS if round(found.ratios[name], 2) > MAX_RATIO]
    if as_json:
        rows = {
            name: {"ms": round(found.functions_ms[name], 1), "ratio": round(found.ratios[name], 2)}
            for name in names
        }
        baseline_ms = round(found.baseline_ms, 1)
        print(json.dumps({"baseline_ms": baseline_ms, "functions": rows, "failed": failed}))
        return 1 if failed else 0
    table = Table(
        "function", "ms", "ratio", title="Import time against boto3 with a DynamoDB client"
    )
    table.add_row("boto3 + dynamodb", f"{found.baseline_ms:.0f}", "1.00")
    for name in names:
        mark = " (webhook)" if name in WEBHOOKS else ""
        table.add_row(name + mark, f"{found.functions_ms[name]:.0f}", f"{found.ratios[name]:.2f}")
    Console().print(table)
    return 1 if failed else 0
