"""Personas played one after the other on one twin, or side by side on several, and what came of each."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from local.callee.checks import Check, CheckLevel, persona_passes
from local.callee.persona import Persona
from local.cloud.state import PROJECT
from local.errors import TwinError
from local.heard_positions import heard_positions
from local.judging import judged
from local.placing import place
from local.progress import progress
from local.session import Session
from local.tenant_setup import set_up
from shared.domain.errors import SofiaError

_KEPT = ("call_id", "outcome", "turns", "tools", "latency_ms", "cost_usd")


class RunsLost(TwinError):
    """A process that played personas ended without a result."""


@dataclass(frozen=True, slots=True)
class Run:
    """One call of one persona. `call` is what is kept of the report; empty where there was none."""

    persona: str
    checks: list[Check]
    call: dict[str, Any] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        return persona_passes(self.checks)

    def failed(self, level: CheckLevel) -> list[str]:
        return [c.id for c in self.checks if c.passed is False and c.level is level]

    @property
    def undecided(self) -> int:
        """Questions for a judge."""
        return sum(check.passed is None for check in self.checks)

    def as_json(self) -> dict[str, Any]:
        checks = [asdict(check) for check in self.checks]
        return {"persona": self.persona, "passed": self.passed, "checks": checks, **self.call}

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Run:
        checks = [
            Check(**{**check, "level": CheckLevel(check["level"])}) for check in body["checks"]
        ]
        rest = {k: v for k, v in body.items() if k not in ("persona", "passed", "checks")}
        return cls(body["persona"], checks, rest)


async def play(session: Session, persona: Persona, tenant_id: str) -> Run:
    """One call for a tenant of its own. A call that cannot be placed or followed is a run that failed."""
    session.twin.clock.set_now(persona.call_at)
    try:
        return await _called(session, persona, tenant_id)
    except SofiaError as error:
        return _not_ended(persona.id, error)


def _not_ended(persona_id: str, error: SofiaError) -> Run:
    return Run(persona_id, [Check("call.ends", CheckLevel.HARD, False, None, str(error))])


async def _called(session: Session, persona: Persona, tenant_id: str) -> Run:
    api = await asyncio.to_thread(set_up, session.admin, tenant_id, session.personas.tenant)
    earlier = len(session.twin.realtime.sessions)
    placed = await place(session.twin, api, persona, session.voice, board=session.board)
    checks = await judged(session, placed, persona, tenant_id)
    positions = heard_positions(
        session.twin.realtime.sessions[earlier:], persona.lead.phone, placed.actor.account()
    )
    call = {name: placed.report[name] for name in _KEPT}
    return Run(
        persona.id,
        checks,
        {"heard_position_errors_ms": [position.error_ms for position in positions], **call},
    )


async def side_by_side(
    shares: Sequence[Sequence[str]], arguments: Sequence[str]
) -> tuple[dict[str, str], list[Run]]:
    """Each share of persona ids on a twin of its own, since a twin has one clock; which mind and ears they had, and
    all runs. Each tells of its own as it goes; where one ends without a result, its personas have failed. Raises
    RunsLost where none has a result."""
    results = await asyncio.gather(
        *(_elsewhere(share, arguments) for share in shares), return_exceptions=True
    )
    about: dict[str, str] = {}
    runs: list[Run] = []
    for share, result in zip(shares, results, strict=True):
        if isinstance(result, RunsLost):
            progress(str(result))
            runs += [_not_ended(persona_id, result) for persona_id in share]
        elif isinstance(result, BaseException):
            raise result
        else:
            about = {name: result[name] for name in ("mind", "ears")}
            runs += [Run.from_json(call) for call in result["calls"]]
    if not about:
        raise RunsLost("no process that played personas had a result: play one alone to see why")
    return about, runs


async def _elsewhere(ids: Sequence[str], arguments: Sequence[str]) -> dict[str, Any]:
    command = (sys.executable, "-m", "local", "bench", "personas", "--json", "--ids", *ids)
    process = await asyncio.create_subprocess_exec(
        *command,
        *arguments,
        cwd=PROJECT,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    try:
        result: dict[str, Any] = json.loads(output)
        return result
    except ValueError as error:
        raise RunsLost(
            f"playing {', '.join(ids)} ended with status {process.returncode} and no result:"
            " play them alone to see why"
        ) from error
