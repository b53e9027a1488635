"""What is said right before the hang-up, and becomes known after it."""

from __future__ import annotations

import asyncio
import logging

import pytest

from media_service import last_words, reception, tools
from shared.domain.call import FactKind
from shared.domain.conversation import CloseCause, ToolUse, Turn, Usage, Who
from shared.domain.journal import Closed
from tests.integration.media_service.house import open_house, opened

OBJECTION = "No me llamen más, por favor"


async def test_an_objection_said_right_before_the_hang_up_counts() -> None:
    async with open_house() as world, world.line() as line:
        session = await world.model.next()
        await opened(world, line, session)
        await session.begins("item2")
        await session.has_come()
        await line.stop()
        commit = await session.until("input_audio_buffer.commit")
        assert commit["event_id"] == last_words.COMMIT
        # By hand, the utterance is committed under another id than it was announced with.
        await session.say("input_audio_buffer.committed", item_id="item3")
        await session.transcribes(OBJECTION, "item3")
        await line.until_closed()
    assert [objection.quote for objection in world.store.objections] == [OBJECTION]
    callee = [turn for turn in world.recorded(Turn) if turn.who is Who.CALLEE]
    assert callee[-1].said == OBJECTION
    assert [use.name for use in world.recorded(ToolUse)] == ["register_opt_out"]
    assert len(world.recorded(Usage)) == 2
    assert isinstance(world.store.journal[-1].body, Closed)


async def test_what_the_model_does_not_deliver_in_time_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(last_words, "WITHIN_S", 0.1)
    async with open_house() as world, world.line() as line:
        session = await world.model.next()
        await opened(world, line, session)
        await session.say("input_audio_buffer.committed", item_id="item2")
        await session.has_come()
        began_s = asyncio.get_running_loop().time()
        await line.stop()
        assert await line.until_closed() == 1000
        # It was waited for, but no longer than that.
        assert 0.1 <= asyncio.get_running_loop().time() - began_s < 2.0
        assert world.fact(FactKind.CONVERSATION_CLOSED).detail == CloseCause.CALLEE_HUNG_UP


async def test_the_refusal_of_an_empty_commit_ends_the_wait() -> None:
    async with open_house() as world, world.line() as line:
        session = await world.model.next()
        await opened(world, line, session)
        await session.begins("item2")
        await session.has_come()
        await line.stop()
        await session.until("input_audio_buffer.commit")
        began_s = asyncio.get_running_loop().time()
        error = {"code": "input_audio_buffer_commit_empty", "event_id": last_words.COMMIT}
        await session.say("error", error=error)
        for reply in session.of("response.cancel"):
            done = {"id": reply["response_id"], "status": "cancelled"}
            await session.say("response.done", response=done)
        await line.until_closed()
        assert asyncio.get_running_loop().time() - began_s < 1.5


async def test_the_usage_of_a_reply_under_way_is_kept() -> None:
    async with open_house() as world, world.line() as line:
        session = await world.model.next()
        tag = await opened(world, line, session)
        await session.say("response.created", response={"id": "r1", "metadata": {"tag": tag}})
        await session.has_come()
        await line.stop()
        cancel = await session.until("response.cancel")
        assert cancel["response_id"] == "r1"
        usage = {"input_token_details": {"text_tokens": 7}, "output_token_details": {}}
        done = {"id": "r1", "status": "cancelled", "usage": usage}
        await session.say("response.done", response=done)
        await line.until_closed()
        assert [use.text_in for use in world.recorded(Usage)][-1] == 7


async def test_an_objection_outlives_the_call_and_a_store_that_is_away(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(reception, "CLOSE_LINE_WITHIN_S", 0.1)
    monkeypatch.setattr(tools, "TOOL_WITHIN_S", 0.1)
    async with open_house() as world, world.line() as line:
        session = await world.model.next()
        await opened(world, line, session)
        world.store.away = True
        await session.hears(OBJECTION, "item2")
        await world.until(lambda: "add" in world.store.requests)
        await line.stop()
        await line.until_closed(within_s=10)
        assert world.store.objections == []
        world.store.away = False
        await world.until(lambda: bool(world.store.objections))
        await world.until(lambda: world.fact(FactKind.CONVERSATION_CLOSED) is not None)
        assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_an_objection_that_no_store_takes_is_a_persons_business(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(reception, "STORED_WITHIN_S", 0.1)
    monkeypatch.setattr(reception, "CLOSE_LINE_WITHIN_S", 0.1)
    monkeypatch.setattr(tools, "TOOL_WITHIN_S", 0.1)
    async with open_house() as world, world.line() as line:
        session = await world.model.next()
        await opened(world, line, session)
        world.store.away = True
        await session.hears(OBJECTION, "item2")
        await world.until(lambda: "add" in world.store.requests)
        await line.stop()
        await line.until_closed(within_s=10)
        await world.until_idle()
    assert "an objection could not be put on record" in caplog.text
