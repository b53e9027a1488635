"""./sofia demo: one whole call on this machine, without any account."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from pathlib import Path
from typing import Any

from local.callee.persona import load_personas
from local.cloud.state import kept_folder
from local.live_view import LiveView, progress
from local.placing import Placed, place
from local.session import TENANT, Session, open_session
from local.twin import TwinOptions
from local.user_paths import as_given
from shared.domain.listing import CallQuery, CallRow

DEFAULT_PERSONA = "p00"
REMEMBERED_WITHIN_S = 20.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--persona", metavar="ID", default=DEFAULT_PERSONA, help="who answers")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--record", metavar="DIR", type=Path, help="where the recording goes")


def run(options: argparse.Namespace) -> int:
    load_personas().persona(options.persona)
    try:
        return asyncio.run(_demo(options))
    except (asyncio.CancelledError, KeyboardInterrupt):
        return 130


async def _demo(options: argparse.Namespace) -> int:
    folder = as_given(options.record) if options.record else kept_folder("recordings")
    folder.mkdir(parents=True, exist_ok=True)
    progress(
        "starting the twin (the model, the carrier and the callee are simulated; the mind is a script) ..."
    )
    key = os.environ.get("OPENAI_API_KEY") or None
    if key:
        progress("OPENAI_API_KEY is set: the model is the real one, and costs money")
    async with open_session(TwinOptions(record_folder=folder, openai_api_key=key)) as session:
        persona = session.personas.persona(options.persona)
        session.twin.clock.set_now(persona.call_at)
        progress(f"calling {persona.name}, {persona.business} ...")
        view = None if options.json else LiveView()
        placed = await place(
            session.twin,
            session.api,
            persona,
            session.voice,
            progress=view.show if view else None,
        )
        report = await _complete(session, placed, folder)
    if view is None:
        print(json.dumps(report, ensure_ascii=False))
    else:
        view.summary(
            report,
            {
                "Recording (left the callee, right Sofia)": report["recording"],
                "PostgreSQL": _where_remembered(report),
            },
        )
    return 0 if _went_well(report) else 1


async def _complete(session: Session, placed: Placed, folder: Path) -> dict[str, Any]:
    """The report with what only this machine knows: the recording and where the call is stored."""
    report = placed.report
    row = await _remembered(session, report)
    report["recording"] = await asyncio.to_thread(_named_recording, folder, report["call_id"])
    live = await asyncio.to_thread(session.twin.live.get_for, TENANT, report["call_id"])
    report["stored"] = {"live": live.status.value == report["status"], "history": row is not None}
    return report


async def _remembered(session: Session, report: dict[str, Any]) -> CallRow | None:
    """The call's row in PostgreSQL, once the projection has caught up; None if it does not."""
    loop = asyncio.get_running_loop()
    until_s = loop.time() + REMEMBERED_WITHIN_S
    while loop.time() < until_s:
        rows = await asyncio.to_thread(session.twin.history.rows, TENANT, CallQuery(limit=20))
        for row in rows:
            if row.call_id == report["call_id"] and row.outcome == report["outcome"]:
                return row
        await asyncio.sleep(0.2)
    return None


def _named_recording(folder: Path, call_id: str) -> str | None:
    """The carrier's newest recording, under the call's own id."""
    recordings = sorted(folder.glob("CA*.wav"), key=lambda path: path.stat().st_mtime)
    if not recordings:
        return None
    return str(recordings[-1].rename(folder / f"{call_id}.wav"))


def _where_remembered(report: dict[str, Any]) -> str:
    if not report["stored"]["history"]:
        return "the call is MISSING"
    return f"table calls, tenant_id = '{TENANT}', call_id = '{report['call_id']}', {len(report['turns'])} rows in turns"


def _went_well(report: dict[str, Any]) -> bool:
    """Analysed, stored, recorded, and ended as a call should."""
    ended = report["end_reason"] in ("completed", "voicemail")
    return bool(
        report["status"] == "analysed"
        and ended
        and report["outcome"]
        and report["stored"]["live"]
        and report["stored"]["history"]
        and report["recording"]
    )
