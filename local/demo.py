"""One whole call on this machine, shown as it happens."""

from __future__ import annotations

import argparse
import asyncio
import io
import json
from pathlib import Path
from typing import Any

from rich.console import Console

from local import screenshot
from local.callee.checks import Check, CheckLevel
from local.callee.persona import Persona, load_personas
from local.cloud.ground import Ground
from local.cloud.state import kept_folder
from local.judging import judged, remembered
from local.live_view import LiveView
from local.placing import Placed, place
from local.progress import progress
from local.session import TENANT, Session, open_session, with_own_key
from local.stored_texts import turn_rows
from local.twin import TwinOptions
from local.user_paths import as_given


async def demo(options: argparse.Namespace, ground: Ground) -> int:
    """As `./sofia demo` was asked; gives its exit status. Raises UnknownPersona, TwinError."""
    load_personas().persona(options.persona)
    folder = as_given(options.record) if options.record else kept_folder("recordings")
    folder.mkdir(parents=True, exist_ok=True)
    twin_options = with_own_key(TwinOptions(record_folder=folder))
    console = _console(options)
    view = LiveView(console)
    async with open_session(twin_options, ground=ground) as session:
        persona = session.personas.persona(options.persona)
        session.twin.clock.set_now(persona.call_at)
        progress(f"calling {persona.name}, {persona.business} ...")
        placed = await place(session.twin, session.api, persona, session.voice, progress=view.show)
        troubles = await _troubles(session, placed, persona)
        report = await _complete(session, placed, folder)
        rows = await asyncio.to_thread(
            turn_rows, session.twin.database_url, TENANT, report["call_id"]
        )
    view.summary(report, _places(report, rows))
    if options.json:
        print(json.dumps(report, ensure_ascii=False))
    if options.svg:
        screenshot.save(console, as_given(options.svg), "./sofia demo")
    for trouble in [*troubles, *_missing(report)]:
        progress(f"not as it should be: {trouble}")
    return 1 if troubles or _missing(report) else 0


def _console(options: argparse.Namespace) -> Console:
    """Where the call is shown: nowhere with --json, which has standard output for itself."""
    console = Console(
        file=io.StringIO() if options.json else None,
        record=bool(options.svg),
        width=screenshot.WIDTH if options.svg else None,
        highlight=False,
    )
    console.soft_wrap = not (console.is_terminal or options.svg)
    return console


async def _troubles(session: Session, placed: Placed, persona: Persona) -> list[str]:
    """What the persona did not find as it expects, and what the emulated services had to refuse."""
    checks = await judged(session, placed, persona, TENANT)
    errors = [error for one in session.twin.realtime.sessions for error in one.errors]
    return [
        *(_told(check) for check in checks if _failed(check)),
        *(f"the carrier had to refuse {what}" for what in session.twin.carrier.violations),
        *(f"the model's service answered {error}" for error in errors),
    ]


def _failed(check: Check) -> bool:
    return check.passed is False and check.level is CheckLevel.HARD


def _told(check: Check) -> str:
    return " ".join(filter(None, (f"{check.id}:", check.moment, check.detail)))


async def _complete(session: Session, placed: Placed, folder: Path) -> dict[str, Any]:
    """The report with what only this machine knows: who stood in for whom, the recording, where the call is stored."""
    report = placed.report
    in_history = await remembered(session, TENANT, report)
    live = await asyncio.to_thread(session.twin.live.get_for, TENANT, report["call_id"])
    return {
        **report,
        **session.stand_ins,
        "turns": [{"waterfall_ms": None, **turn} for turn in report["turns"]],
        "recording": _named_recording(folder, placed.carrier_sid, report["call_id"]),
        "stored": {"live": live.status.value == report["status"], "history": in_history},
    }


def _named_recording(folder: Path, carrier_sid: str | None, call_id: str) -> str | None:
    """The carrier's recording of this call, under the call's own id; None if there is none."""
    recording = folder / f"{carrier_sid}.wav"
    if carrier_sid is None or not recording.exists():
        return None
    return str(recording.rename(folder / f"{call_id}.wav"))


def _places(report: dict[str, Any], rows: int) -> dict[str, str]:
    stored = "the call is MISSING"
    if report["stored"]["history"]:
        call = f"tenant_id = '{TENANT}', call_id = '{report['call_id']}'"
        stored = f"table calls, {call}, {rows} rows in turns"
    return {
        "Recording (left the callee, right Sofia)": _shown(report["recording"]),
        "PostgreSQL": stored,
        "Mind, ears": f"{report['mind']}, {report['ears']}",
    }


def _shown(recording: str | None) -> str:
    """As short as it leads there from the folder in which the command was started."""
    here = as_given(Path()).resolve()
    if recording is None:
        return "none"
    path = Path(recording).resolve()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _missing(report: dict[str, Any]) -> list[str]:
    """What a call that went well leaves behind, and this one does not."""
    expected = {
        f"the call is {report['status']}": report["status"] == "analysed",
        f"it ended with {report['end_reason']}": report["end_reason"] in ("completed", "voicemail"),
        "it has no outcome": report["outcome"],
        "it is not in the live table": report["stored"]["live"],
        "it is not in PostgreSQL": report["stored"]["history"],
        "there is no recording": report["recording"],
    }
    return [trouble for trouble, holds in expected.items() if not holds]
