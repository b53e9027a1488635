"""Places a call to a persona through the public API and follows it to the analysed end."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local.api_client import Api, ApiError
from local.callee.actor import PersonaActor
from local.callee.persona import Persona
from local.carrier.call import EmulatedCall
from local.errors import TwinError
from local.heard_positions import produced_for
from local.speech.ports import Utterance, Voice
from local.speech.word_board import WordBoard
from local.twin import Twin

POLL_S = 0.25
# Where nobody watches: each look costs the twin, which carries the call, some milliseconds.
UNWATCHED_POLL_S = 1.0
HUNG_UP_WITHIN_S = 10.0
Progress = Callable[[dict[str, Any]], None]


class CallTimedOut(TwinError):
    """The call did not come to an analysed end in time; the text names its last status."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A finished call: the API's report, and the callee's own account.

    `carrier_sid` is the carrier's name for the call, None where it was never dialled. `stream_since_ms` is when, on the
    callee's clock, the product's clock began. `produced` is all that the emulated model said in it.
    """

    report: dict[str, Any]
    actor: PersonaActor
    carrier_sid: str | None
    stream_since_ms: int
    produced: tuple[Utterance, ...]


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
    """Connect the persona, order the call, wait until it is analysed. Raises ApiError, CallTimedOut; a call that
    takes too long is hung up."""
    actor = PersonaActor(persona, board=board)
    await actor.prepare(voice)
    twin.switchboard.connect(number or persona.lead.phone, actor)
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    body = request_body(persona, number)
    created = await asyncio.to_thread(api.call, "POST", "/v1/calls", body, headers)
    try:
        report = await follow(api, created["call_id"], progress, within_s)
    except CallTimedOut:
        await _hang_up(api, created["call_id"])
        raise
    produced = (
        *twin.openings,
        *produced_for(twin.realtime.sessions, number or persona.lead.phone),
    )
    return Placed(report, actor, *_on_the_line(twin, actor), produced)


def _on_the_line(twin: Twin, actor: PersonaActor) -> tuple[str | None, int]:
    """The carrier's name for the call that the actor took, and when its stream began."""
    sid = next((sid for sid, taker in twin.switchboard.taken.items() if taker is actor), None)
    call = twin.carrier.calls.get(sid) if sid else None
    line = call.line if isinstance(call, EmulatedCall) else None
    return sid, line.stream_since_ms if line else 0


async def _hang_up(api: Api, call_id: str) -> None:
    """End a call that takes too long, so that it does not run on beside what comes next."""
    with contextlib.suppress(ApiError, CallTimedOut):
        await asyncio.to_thread(api.call, "DELETE", f"/v1/calls/{call_id}")
        await follow(api, call_id, within_s=HUNG_UP_WITHIN_S)


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
        await asyncio.sleep(POLL_S if progress else UNWATCHED_POLL_S)
