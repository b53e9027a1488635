"""Places a call to a persona through the public API and follows it to the analysed end."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local.api_client import Api
from local.callee.actor import PersonaActor
from local.callee.persona import Persona
from local.errors import TwinError
from local.speech.ports import Voice
from local.speech.word_board import WordBoard
from local.twin import Twin

POLL_S = 0.25
Progress = Callable[[dict[str, Any]], None]


class CallTimedOut(TwinError):
    """The call did not come to an analysed end in time; the text names its last status."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A finished call: the API's report, and the callee's own account."""

    report: dict[str, Any]
    actor: PersonaActor


def request_body(persona: Persona, number: str | None = None) -> dict[str, Any]:
    """`POST /v1/calls` for a persona."""
    lead = persona.lead
    return {
        "to": number or lead.phone,
        "lead": {
            "contact_name": lead.contact_name,
            "business_name": lead.business_name,
            "municipality": lead.municipality,
            "subdivision": lead.subdivision,
            "timezone": lead.timezone,
            "consent": {
                "basis": lead.consent.basis,
                "source": lead.consent.source,
                "at": lead.consent.at.isoformat(),
            },
        },
    }


async def place(
    twin: Twin,
    api: Api,
    persona: Persona,
    voice: Voice,
    *,
    board: WordBoard | None = None,
    number: str | None = None,
    progress: Progress | None = None,
    within_s: float = 240.0,
) -> Placed:
    """Connect the persona, order the call, wait until it is analysed. Raises ApiError, CallTimedOut."""
    actor = PersonaActor(persona, board=board)
    await actor.prepare(voice)
    twin.switchboard.connect(number or persona.lead.phone, actor)
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    body = request_body(persona, number)
    created = await asyncio.to_thread(api.call, "POST", "/v1/calls", body, headers)
    report = await follow(api, created["call_id"], progress, within_s)
    return Placed(report, actor)


async def follow(
    api: Api, call_id: str, progress: Progress | None = None, within_s: float = 240.0
) -> dict[str, Any]:
    """Poll a call's report until it is analysed."""
    loop = asyncio.get_running_loop()
    until_s = loop.time() + within_s
    while True:
        report: dict[str, Any] = await asyncio.to_thread(api.call, "GET", f"/v1/calls/{call_id}")
        if progress is not None:
            progress(report)
        if report["status"] in ("analysed", "denied"):
            return report
        if loop.time() > until_s:
            raise CallTimedOut(f"the call {call_id} is still {report['status']}")
        await asyncio.sleep(POLL_S)
