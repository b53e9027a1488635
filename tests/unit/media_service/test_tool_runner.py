"""What the model's tool calls become."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from media_service import tools
from media_service.engine.events import ToolFinished
from media_service.tools import ToolContext, ToolRunner
from shared.agents.opening import opening_for
from shared.domain.agent import Agent, InformationChannel, TenantFacts
from shared.domain.conversation import FollowUpKind, ToolStatus
from shared.domain.errors import Unavailable
from shared.domain.lead import Lead

NOW = datetime(2026, 11, 24, 9, 40, tzinfo=UTC)
FACTS = TenantFacts(
    "Nubelia", "agenda", "Laura", "9 a 19", "nueve", "n.example", "p@n.example", (),
    information_channels=(InformationChannel.EMAIL,),
)  # fmt: skip
AGENT = Agent("t1", "sofia", 1, "Sofía", FACTS, opening_for(FACTS, "Sofía"))


class Register:
    def __init__(self) -> None:
        self.kept: list[tuple[str, str]] = []
        self.away = False
        self.answers = asyncio.Event()
        self.answers.set()

    async def register(self, scope: str, quote: str) -> str:
        await self.answers.wait()
        if self.away:
            raise Unavailable("the store is away")
        self.kept.append((scope, quote))
        return "OP-4F7K2"


class StandingClock:
    def now(self) -> datetime:
        return NOW

    def monotonic_ms(self) -> float:
        return 0.0


@pytest.fixture
def register() -> Register:
    return Register()


@pytest.fixture
def runner(register: Register) -> ToolRunner:
    lead = Lead("+34600000001", "Carmen", timezone="Europe/Madrid")
    return ToolRunner(ToolContext(AGENT, lead, StandingClock(), register))


async def run(runner: ToolRunner, name: str, **arguments: object) -> ToolFinished:
    return await runner.run("call_1", name, json.dumps(arguments))


async def test_a_callback_is_a_promise_with_a_spoken_moment(runner: ToolRunner) -> None:
    done = await run(
        runner, "schedule_callback", kind="demo", at="2026-11-26T11:00:00+01:00",
        timezone="Europe/Madrid", **{"with": "human"},
    )  # fmt: skip
    assert done.status is ToolStatus.DONE
    assert done.follow_up is not None
    assert (done.follow_up.follow_up_id, done.follow_up.kind) == ("callback", FollowUpKind.DEMO)
    assert "jueves" in str(done.result["spoken"])
    cancelled = (await run(runner, "cancel_callback")).follow_up
    assert cancelled is not None
    assert (cancelled.follow_up_id, cancelled.cancelled) == ("callback", True)


async def test_information_is_a_promise_by_its_channel(runner: ToolRunner) -> None:
    done = await run(runner, "send_information", channel="email", address="carmen@salon.example")
    assert done.follow_up is not None
    assert done.follow_up.follow_up_id == "information-email"
    assert done.follow_up.address == "carmen@salon.example"


async def test_an_objection_gives_its_reference_and_ends_other_promises(
    runner: ToolRunner, register: Register
) -> None:
    done = await run(runner, "register_opt_out", scope="tenant", quote="no me llamen más")
    assert register.kept == [("tenant", "no me llamen más")]
    assert done.result["reference"] == "OP-4F7K2"
    assert done.follow_up is not None
    assert done.follow_up.cancelled


async def test_bad_arguments_are_told_to_the_model(runner: ToolRunner) -> None:
    for arguments in ("no json", "[]", '{"scope": "tenant"}'):
        finished = await runner.run("call_1", "register_opt_out", arguments)
        assert finished.status is ToolStatus.REFUSED
        assert finished.result["ok"] is False


async def test_a_store_that_is_away_is_told_to_the_model(
    runner: ToolRunner, register: Register
) -> None:
    register.away = True
    failed = await run(runner, "register_opt_out", scope="tenant", quote="no")
    assert (failed.status, failed.result["ok"]) == (ToolStatus.FAILED, False)


async def test_a_tool_is_not_waited_for_longer_than_a_person_waits(
    runner: ToolRunner, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "TOOL_WITHIN_S", 0.01)
    register.answers.clear()
    slow = await run(runner, "register_opt_out", scope="tenant", quote="no")
    assert slow.status is ToolStatus.FAILED


async def test_no_tool_waits_for_another(runner: ToolRunner, register: Register) -> None:
    register.answers.clear()
    objection = asyncio.create_task(
        run(runner, "register_opt_out", scope="tenant", quote="no me llamen más")
    )
    noted = await run(runner, "save_lead_info", contact_name="Carmen")
    assert (noted.status, objection.done()) == (ToolStatus.DONE, False)
    register.answers.set()
    assert (await objection).status is ToolStatus.DONE


async def test_a_tool_without_anybody_behind_it_is_refused(register: Register) -> None:
    agent = replace(AGENT, facts=replace(FACTS, transfer_number="+34910000001"))
    lead = Lead("+34600000001", "Carmen", timezone="Europe/Madrid")
    runner = ToolRunner(ToolContext(agent, lead, StandingClock(), register))
    refused = await run(runner, "transfer_to_human", reason="lo pide")
    assert refused.status is ToolStatus.REFUSED
