"""Four calls at once by voice, from the API to the database rows: all complete, no turn lost, none mixed up."""

from __future__ import annotations

import asyncio
import re
import wave
from pathlib import Path
from typing import Any

import pytest

from local.callee.folding import fold
from local.callee.persona import Persona
from local.heard_positions import heard_positions
from local.judging import judged
from local.placing import Placed, place
from local.session import TENANT, Session, open_session
from local.twin import TwinOptions

WHO = ("p01", "p02", "p03", "p11")
DUTIES = {"ai", "company", "purpose", "transcription", "right_to_object"}
# The callee counts from the answer, the product from the first frame of the stream.
WORD = re.compile(r"\w+")
CLOCKS_APART_MS = 1_000
OWN_SHARE_MS = 10
OWN_WORD_LENGTH_MIN = 6
"""Shorter words are taken for one another by the recogniser."""
OWN_WORDS_MIN = 3
HANG_UP_MS = 1_500


@pytest.mark.timeout(400)
async def test_four_calls_at_once_by_voice(tmp_path: Path) -> None:
    async with open_session(TwinOptions(record_folder=tmp_path)) as session:
        people = [session.personas.persona(who) for who in WHO]
        session.twin.clock.set_now(people[0].call_at)
        placed = await asyncio.gather(
            *(place(session.twin, session.api, persona, session.voice) for persona in people)
        )
        rows = await remembered(session)
        emulator = session.twin.realtime
        untrue = {
            persona.id: [
                check
                for check in await judged(session, one, persona, TENANT)
                if check.id.startswith("ear.") and not check.passed
            ]
            for one, persona in zip(placed, people, strict=True)
        }
        assert session.twin.cloud.failures == {}
        assert session.twin.carrier.violations == []
        assert {tuple(one.errors) for one in emulator.sessions} == {()}
    assert untrue == {persona.id: [] for persona in people}
    for one, persona in zip(placed, people, strict=True):
        check_call(one, people, persona)
        assert rows[one.report["call_id"]]["outcome"] == one.report["outcome"]
        positions = heard_positions(emulator.sessions, persona.lead.phone, one.actor.account())
        assert all(abs(position.error_ms) <= 100 for position in positions), positions
    check_recordings(tmp_path, [one.actor.account().ended_ms or 0 for one in placed])


def check_call(placed: Placed, people: list[Persona], persona: Persona) -> None:
    report = placed.report
    told = [(turn["who"], turn["heard"]) for turn in report["turns"]]
    assert (report["status"], report["end_reason"]) == ("analysed", "completed"), told
    assert 0 < report["cost_usd"]["total"] < 0.56
    if persona.id.startswith("p01"):
        assert set(report["duties"]) == DUTIES, told
    assert report["latency_ms"]["own_max"] < OWN_SHARE_MS
    check_turns(placed)
    # Recognition is not perfect, but what only one person says is heard in that person's call and in no other.
    heard = words_heard(report)
    mixed = {other.id: heard & words_of_nobody_else(other, people) for other in people}
    assert len(mixed.pop(persona.id)) >= OWN_WORDS_MIN, heard
    assert set().union(*mixed.values()) == set(), mixed


def check_turns(placed: Placed) -> None:
    """Whatever the callee said to Sofia is some turn of the record."""
    turns = [turn for turn in placed.report["turns"] if turn["who"] == "callee"]
    account = placed.actor.account()
    for speech in account.own_speech:
        # The last words may fall into the hang-up.
        too_late = speech.end_ms > (account.ended_ms or 0) - HANG_UP_MS
        if not speech.is_speech or speech.to_room or too_late:
            continue
        assert any(
            turn["started_ms"] < speech.end_ms + CLOCKS_APART_MS
            and turn["ended_ms"] > speech.start_ms - CLOCKS_APART_MS
            for turn in turns
        ), (speech, turns)


def words_of_nobody_else(persona: Persona, people: list[Persona]) -> set[str]:
    """Words of some length that only this one of the people says."""
    others = set().union(*(words_said(other) for other in people if other is not persona))
    return {word for word in words_said(persona) - others if len(word) >= OWN_WORD_LENGTH_MIN}


def words_said(persona: Persona) -> set[str]:
    return {word for turn in persona.turns if turn.say for word in WORD.findall(fold(turn.say))}


def words_heard(report: dict[str, Any]) -> set[str]:
    """By Sofia."""
    return {
        word
        for turn in report["turns"]
        if turn["who"] == "callee"
        for word in WORD.findall(fold(turn["heard"] or ""))
    }


async def remembered(session: Session) -> dict[str, Any]:
    """The calls' rows in PostgreSQL, once the projection has caught up (or 20 s have passed)."""
    for _ in range(100):
        page = await asyncio.to_thread(session.api.call, "GET", "/v1/calls?limit=10")
        rows = {row["call_id"]: row for row in page["calls"]}
        if len(rows) == len(WHO) and all(row["outcome"] for row in rows.values()):
            break
        await asyncio.sleep(0.2)
    return rows


def check_recordings(folder: Path, ended_ms: list[int]) -> None:
    lengths_ms = []
    for recording in folder.glob("CA*.wav"):
        with wave.open(str(recording)) as file:
            assert (file.getnchannels(), file.getframerate()) == (2, 8_000)
            lengths_ms.append(file.getnframes() / 8)
    assert len(lengths_ms) == len(ended_ms)
    for length_ms, end_ms in zip(sorted(lengths_ms), sorted(ended_ms), strict=True):
        assert abs(length_ms - end_ms) < 500
