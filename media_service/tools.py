"""What happens when the model calls a tool: validated arguments become a fact, a promise or an objection on record.

Every effect is idempotent (ids follow from the call and the tool), bounded in time, and answers the model with what it
may then say. Names and arguments are `shared.agents.tools`'.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from media_service.engine.events import ToolFinished
from media_service.patience import STORE_TROUBLE
from shared.agents import spoken
from shared.agents import tools as agent_tools
from shared.domain.agent import Agent
from shared.domain.clock import Clock
from shared.domain.conversation import FollowUp, FollowUpKind, ToolStatus
from shared.domain.gate import lead_zones
from shared.domain.lead import Lead
from shared.domain.outcome import OptOutScope

log = logging.getLogger(__name__)
TOOL_WITHIN_S = 4.0
# There is one next conversation with a lead: a new time replaces the old one.
CALLBACK_ID = "callback"


class OptOutRegister(Protocol):
    """Where objections are kept."""

    async def register(self, scope: OptOutScope, quote: str) -> str:
        """Put the objection on record, effective at once; gives the reference that is spoken. Idempotent, and goes
        on until it is done even if nobody waits for it any more."""
        ...


@dataclass(frozen=True, slots=True)
class ToolContext:
    """One call's tools."""

    agent: Agent
    lead: Lead
    clock: Clock
    opt_outs: OptOutRegister


@dataclass(frozen=True, slots=True)
class _Done:
    result: Mapping[str, object]
    follow_up: FollowUp | None = None


class ToolRunner:
    """Runs the tool calls of one phone call."""

    def __init__(self, context: ToolContext) -> None:
        self._context = context

    async def run(self, call_id: str, name: str, arguments_json: str) -> ToolFinished:
        """Never raises for bad arguments or a slow store: the model is told, and the call goes on."""
        context = self._context
        arguments = _readable(arguments_json)
        try:
            call = agent_tools.parse(
                name,
                arguments_json,
                context.agent,
                now=context.clock.now(),
                zones=lead_zones(context.lead),
            )
        except agent_tools.InvalidToolCall as invalid:
            result = {"ok": False, "error": invalid.message_for_the_model}
            return ToolFinished(call_id, ToolStatus.REFUSED, arguments, result)
        try:
            async with asyncio.timeout(TOOL_WITHIN_S):
                done = await self._perform(call)
        except (TimeoutError, *STORE_TROUBLE) as error:
            log.warning("tool failed", extra={"tool": name, "error": type(error).__name__})
            result = {
                "ok": False,
                "error": "ahora mismo no se puede; ofrece que lo haga una persona",
            }
            return ToolFinished(call_id, ToolStatus.FAILED, arguments, result)
        return ToolFinished(call_id, ToolStatus.DONE, arguments, done.result, done.follow_up)

    async def _perform(self, call: agent_tools.ToolCall) -> _Done:
        match call:
            case agent_tools.ScheduleCallback():
                return self._schedule(call)
            case agent_tools.CancelCallback():
                follow_up = FollowUp(CALLBACK_ID, FollowUpKind.CALLBACK, cancelled=True)
                return _Done({"ok": True}, follow_up)
            case agent_tools.SendInformation():
                follow_up = FollowUp(
                    f"information-{call.channel.value}",
                    FollowUpKind.INFORMATION,
                    channel=call.channel.value,
                    address=call.address,
                )
                return _Done({"ok": True, "sent_after_the_call": True}, follow_up)
            case agent_tools.RegisterOptOut():
                return await self._register(call)
            case agent_tools.ReportPrivacyRequest():
                follow_up = FollowUp(
                    f"privacy-{call.kind}",
                    FollowUpKind.PRIVACY_REQUEST,
                    detail=call.kind,
                )
                return _Done({"ok": True, "answered_in_writing": True}, follow_up)
            case agent_tools.SaveLeadInfo() | agent_tools.WaitForUser() | agent_tools.EndCall():
                return _Done({"ok": True})
            case _:
                # Nothing stands behind it, so nothing is promised.
                return _Done({"ok": False, "error": "esto no se puede; ofrece que le llamen"})

    def _schedule(self, call: agent_tools.ScheduleCallback) -> _Done:
        kind = FollowUpKind.DEMO if call.kind == "demo" else FollowUpKind.CALLBACK
        follow_up = FollowUp(
            CALLBACK_ID,
            kind,
            at=call.at,
            timezone=call.timezone,
            with_whom=call.with_whom,
        )
        result = {
            "ok": True,
            "at": call.at.isoformat(),
            "spoken": spoken.moment(call.at),
        }
        return _Done(result, follow_up)

    async def _register(self, call: agent_tools.RegisterOptOut) -> _Done:
        reference = await self._context.opt_outs.register(call.scope, call.quote)
        result = {
            "ok": True,
            "reference": reference,
            "reference_spoken": spoken.reference(reference),
        }
        # An objection ends every other promise of a call.
        return _Done(result, FollowUp(CALLBACK_ID, FollowUpKind.CALLBACK, cancelled=True))


def _readable(arguments_json: str) -> Mapping[str, object]:
    try:
        arguments = json.loads(arguments_json)
    except json.JSONDecodeError:
        return {}
    return arguments if isinstance(arguments, dict) else {}
