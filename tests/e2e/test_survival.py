"""The phone call outlives the media task: killed in mid-sentence, the next task goes on with the conversation."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from local.placing import place
from local.session import open_session
from local.twin import TwinOptions
from tests.e2e.people import check_words


@pytest.mark.timeout(300)
async def test_a_killed_media_task_loses_no_call_and_no_turn() -> None:
    async with open_session(TwinOptions(), text_ears=True) as session:
        persona = session.personas.persona("p01")
        session.twin.clock.set_now(persona.call_at)
        killed = asyncio.Event()
        replacing: list[asyncio.Task[None]] = []

        def watch(report: dict[str, Any]) -> None:
            """Kill once the callee has answered Sofia's second question."""
            said = [turn for turn in report["turns"] if turn["who"] == "callee" and turn["heard"]]
            if len(said) >= 3 and not killed.is_set():
                killed.set()
                replacing.append(asyncio.create_task(session.twin.replace_media(kill=True)))

        placed = await place(
            session.twin, session.api, persona, session.voice, board=session.board, progress=watch
        )
        await asyncio.gather(*replacing)
    report = placed.report
    assert killed.is_set()
    assert (report["status"], report["end_reason"]) == ("analysed", "completed")
    assert report["outcome"] == "qualified"
    # No second greeting, and nothing that was said before the kill is gone.
    openings = [turn for turn in report["turns"] if "fines comerciales" in (turn["heard"] or "")]
    assert len(openings) == 1
    check_words(placed)
    assert set(report["duties"]) == {"ai", "company", "purpose", "transcription", "right_to_object"}
