"""The product's own client and the emulated service: what each sends is what the SDK's types allow."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from local.realtime.frames import Direction
from local.realtime.server import RealtimeEmulator
from local.realtime.session import EmulatedSession
from media_service.engine import actions as ac
from media_service.model.openai_realtime import OpenAiRealtime, RealtimeEndpoint
from shared.agents.opening import opening_for
from shared.domain.agent import Agent, TenantFacts, TurnTaking, VadKind
from tests.integration.local.realtime.sdk_types import check_client_event, check_server_event
from tests.integration.local.realtime.stage import QUIET, SPEECH, emulated

FACTS = TenantFacts(
    "Nubelia", "agenda online para salones", "Laura", "9 a 19", "nueve uno cero", "n.example",
    "privacidad@n.example", ("desde 39 euros al mes por salón",),
)  # fmt: skip
AGENT = Agent("t", "sofia", 1, "Sofía", FACTS, opening_for(FACTS, "Sofía"))
# All that the product's client can send.
SENT = {
    "session.update",
    "input_audio_buffer.append",
    "conversation.item.create",
    "conversation.item.delete",
    "conversation.item.truncate",
    "response.create",
    "response.cancel",
}


def frames(session: EmulatedSession, direction: Direction) -> list[dict[str, Any]]:
    return [json.loads(frame.text) for frame in session.frames if frame.direction is direction]


class Listener:
    """Reads on until the service has sent one more event of a kind, and gives that."""

    def __init__(self, session: EmulatedSession, events: AsyncIterator[object]) -> None:
        self._session = session
        self._events = events
        self._seen: dict[str, int] = {}

    async def next(self, kind: str) -> dict[str, Any]:
        at = self._seen.get(kind, 0)
        while True:
            told = [
                one for one in frames(self._session, Direction.TO_CLIENT) if one["type"] == kind
            ]
            if len(told) > at:
                self._seen[kind] = at + 1
                return told[at]
            await anext(self._events)


async def hold_a_call(service: RealtimeEmulator, agent: Agent) -> EmulatedSession:
    """Every action of the product's client, as a call with an interruption brings them about."""
    endpoint = RealtimeEndpoint(service.websocket_base_url, service.api_key)
    model = await OpenAiRealtime(endpoint, agent, first_silence_ms=200).open()
    session = service.sessions[-1]
    listener = Listener(session, model.events())
    try:
        model.perform(ac.AddItem("facts", ac.Speaker.SYSTEM, "Carmen, de Madrid."))
        model.perform(ac.AddItem("before", ac.Speaker.USER, "¿Diga?", after="facts"))
        model.perform(ac.AddItem("opening", ac.Speaker.ASSISTANT, "Hola, soy Sofía."))
        model.perform(ac.Listen(500))
        for frame in [SPEECH] * 30 + [QUIET] * 60:
            model.append(json.dumps(base64.b64encode(frame).decode()).encode())
        await listener.next("input_audio_buffer.committed")
        model.perform(ac.CreateReply("r1"))
        call = await listener.next("response.function_call_arguments.done")
        await listener.next("response.done")
        model.perform(ac.AnswerTool(call["call_id"], {"ok": True, "note": "ñ"}))
        model.perform(ac.CreateReply("r2"))
        made = await listener.next("response.output_audio.delta")
        while made["response_id"] == call["response_id"]:
            made = await listener.next("response.output_audio.delta")
        model.perform(ac.CancelReply(made["response_id"]))
        await listener.next("response.done")
        model.perform(ac.TruncateItem(made["item_id"], 100))
        model.perform(ac.DeleteItem("before"))
        model.perform(ac.CreateReply("r3"))
        await listener.next("response.done")
    finally:
        await model.close()
    return session


@pytest.mark.timeout(60)
@pytest.mark.parametrize("vad", list(VadKind))
async def test_a_call_of_the_product_conforms_in_both_directions(vad: VadKind) -> None:
    agent = replace(AGENT, turn_taking=TurnTaking(vad=vad))
    async with emulated(record_frames=True) as service:
        session = await hold_a_call(service, agent)
    sent = frames(session, Direction.FROM_CLIENT)
    assert session.errors == []
    assert {event["type"] for event in sent} == SENT
    for event in sent:
        check_client_event(event)
    for event in frames(session, Direction.TO_CLIENT):
        check_server_event(event)


@pytest.mark.timeout(60)
async def test_the_products_long_calls_are_cached() -> None:
    async with emulated(record_frames=True) as service:
        session = await hold_a_call(service, AGENT)
    done = [
        event["response"]["usage"]["input_token_details"]
        for event in frames(session, Direction.TO_CLIENT)
        if event["type"] == "response.done"
    ]
    assert done[0]["cached_tokens"] == 0
    assert all(details["cached_tokens"] > 64 for details in done[1:])
