"""One call by voice, from the API to the database row."""

from __future__ import annotations

import asyncio
import wave
from pathlib import Path
from typing import Any

import pytest

from local.placing import place
from local.session import Session, open_session
from local.twin import TwinOptions


@pytest.mark.timeout(400)
async def test_a_call_by_voice(tmp_path: Path) -> None:
    async with open_session(TwinOptions(record_folder=tmp_path)) as session:
        persona = session.personas.persona("p01")
        session.twin.clock.set_now(persona.call_at)
        placed = await place(session.twin, session.api, persona, session.voice)
        report, account = placed.report, placed.actor.account()
        row = await remembered(session, report["outcome"])
    said = [turn["heard"] for turn in report["turns"]]
    assert (report["status"], report["end_reason"]) == ("analysed", "completed"), said
    assert (row["call_id"], row["outcome"]) == (report["call_id"], report["outcome"])
    assert set(report["duties"]) == {
        "ai",
        "company",
        "purpose",
        "transcription",
        "right_to_object",
    }, said
    heard = " ".join(
        turn["heard"] or "" for turn in report["turns"] if turn["who"] == "callee"
    ).lower()
    # Recognition is not perfect; that words came through at all is what this call is about.
    assert heard, said
    assert account.agent_speech
    assert 0 < report["cost_usd"]["total"] < 0.56
    check_recording(tmp_path, account.ended_ms or 0)


async def remembered(session: Session, outcome: str) -> dict[str, Any]:
    """The call's row in PostgreSQL, once the projection has caught up (or 20 s have passed)."""
    row: dict[str, Any] = {}
    for _ in range(100):
        page = await asyncio.to_thread(session.api.call, "GET", "/v1/calls?limit=5")
        row = page["calls"][0] if page["calls"] else {}
        if row.get("outcome") == outcome:
            break
        await asyncio.sleep(0.2)
    return row


def check_recording(folder: Path, ended_ms: int) -> None:
    (recording,) = folder.glob("CA*.wav")
    with wave.open(str(recording)) as file:
        assert (file.getnchannels(), file.getframerate()) == (2, 8_000)
        assert abs(file.getnframes() / 8 - ended_ms) < 500
