"""Twenty calls at once with text ears, everything delivered twice: all complete, no turn lost, none mixed up."""

from __future__ import annotations

import asyncio

import pytest

from local.callee.checks import Check, CheckLevel
from local.callee.persona import Persona
from local.heard_positions import heard_positions
from local.judging import judged
from local.placing import Placed, place
from local.session import TENANT, Session, open_session
from local.twin import TwinOptions
from tests.e2e.people import check_words

CALLS = 20
OWN_SHARE_MS = 10
# People who talk to the end; at ten at night in their file or not, here it is one morning for all.
WHO = ("p01", "p02", "p05", "p11", "p12")


async def call(session: Session, persona: Persona, number: str) -> Placed:
    return await place(
        session.twin,
        session.api,
        persona,
        session.voice,
        board=session.board,
        number=number,
        within_s=230,
    )


@pytest.mark.timeout(400)
async def test_twenty_calls_at_once() -> None:
    options = TwinOptions(duplicate=True, calls_per_second=10)
    async with open_session(options, text_ears=True) as session:
        people = [session.personas.persona(WHO[i % len(WHO)]) for i in range(CALLS)]
        realtime = session.twin.realtime
        session.twin.clock.set_now(people[0].call_at)
        numbers = [f"+346110000{i:02d}" for i in range(CALLS)]
        placed = await asyncio.gather(*map(call, [session] * CALLS, people, numbers))
        assert session.twin.cloud.failures == {}
        assert session.twin.carrier.violations == []
        assert {tuple(one.errors) for one in realtime.sessions} == {()}
        remembered = await history_of(session)
        troubles = {
            number: await untrue(session, one, person)
            for one, person, number in zip(placed, people, numbers, strict=True)
        }
    assert {one.report["status"] for one in placed} == {"analysed"}
    assert {one.report["end_reason"] for one in placed} == {"completed"}
    outcomes = {
        one.report["outcome"]
        for one, who in zip(placed, people, strict=True)
        if who.id.startswith("p01")
    }
    assert outcomes == {"qualified"}
    assert len({one.report["call_id"] for one in placed}) == CALLS
    assert remembered == {one.report["call_id"] for one in placed}
    for one in placed:
        check_words(one)
    assert set(troubles.values()) == {()}, troubles
    own_ms = [own for one in placed for own in own_shares_ms(one)]
    assert len(own_ms) > CALLS, "hardly a turn with a share of its own"
    # Two cores carry the media service and all that stands in for the world: one turn in a hundred may wait for one.
    slow_ms = [own for own in own_ms if own >= OWN_SHARE_MS]
    assert len(slow_ms) <= len(own_ms) // 100, sorted(own_ms)
    errors_ms = [
        position.error_ms
        for one, number in zip(placed, numbers, strict=True)
        for position in heard_positions(realtime.sessions, number, one.actor.account())
    ]
    assert errors_ms, "nobody interrupted"
    assert max(map(abs, errors_ms)) <= 100, errors_ms


def own_shares_ms(placed: Placed) -> list[int]:
    """The media service's own part of the silence before each of Sofia's turns."""
    waterfalls = [turn.get("waterfall_ms") for turn in placed.report["turns"]]
    return [each["own"] for each in waterfalls if each and each["own"] is not None]


async def history_of(session: Session) -> set[str]:
    """The analysed calls in PostgreSQL, once the projection has caught up (or 20 s have passed)."""
    for _ in range(100):
        page = await asyncio.to_thread(session.api.call, "GET", "/v1/calls?limit=100")
        found = {call["call_id"] for call in page["calls"] if call["outcome"]}
        if len(found) == CALLS:
            break
        await asyncio.sleep(0.2)
    return found


async def untrue(session: Session, placed: Placed, person: Persona) -> tuple[Check, ...]:
    """What a person may expect of a call and did not get, the report's agreement with their ear included."""
    checks = await judged(session, placed, person, TENANT)
    return tuple(c for c in checks if c.passed is False and c.level is CheckLevel.HARD)
