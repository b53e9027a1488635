"""A finished call in the terms of the persona file."""

from __future__ import annotations

from typing import Any

from local.callee.actor import PersonaActor
from local.callee.persona import Persona, load_personas
from local.carrier.far_end import FRAME_MS, SILENCE_FRAME
from local.judging import call_report
from local.placing import Placed
from local.speech.ports import Speaker, Utterance
from local.speech.sound import pad_to_frames, tone


class ToneVoice:
    async def speak(self, text: str, speaker: Speaker) -> Utterance:
        return Utterance(text, pad_to_frames(tone((300.0,), 400)), ())


async def silent_call(*tools: dict[str, Any], stream_since_ms: int) -> Placed:
    """The callee says "¿Sí?" 300 ms after the answer, to somebody who says nothing."""
    written = load_personas().personas[0].model_dump(mode="json")
    turns = [{"say": "¿Sí?", "when": "first"}]
    actor = PersonaActor(Persona.model_validate({**written, "turns": turns, "expect": {}}))
    await actor.prepare(ToneVoice())
    actor.answered(0)
    for at_ms in range(0, 2_000, FRAME_MS):
        actor.exchange(SILENCE_FRAME, at_ms)
    report = {
        "tools": list(tools),
        "follow_ups": [{"kind": "demo"}, {"kind": "information"}],
        "outcome": None,
        "flags": [],
        "extracted": {},
        "sentiment": None,
        "language": None,
    }
    return Placed(report, actor, None, stream_since_ms, ())


def tool(at_ms: int, *, done: bool = True) -> dict[str, Any]:
    return {"name": "end_call", "arguments": {}, "at_ms": at_ms, "done": done}


async def test_tools_are_told_on_the_callees_clock() -> None:
    placed = await silent_call(tool(250), stream_since_ms=100)
    (use,) = call_report(placed, [], suppressed=False, stored=()).tools
    assert (use.at_ms, use.utterances_before) == (350, 1)
    (use,) = call_report(await silent_call(tool(250), stream_since_ms=0), [], False, ()).tools
    assert (use.at_ms, use.utterances_before) == (250, 0)


async def test_refused_calls_are_told_as_such() -> None:
    placed = await silent_call(tool(100, done=False), stream_since_ms=0)
    assert [use.done for use in call_report(placed, [], False, ()).tools] == [False]


async def test_only_promises_to_call_are_callbacks() -> None:
    placed = await silent_call(stream_since_ms=0)
    assert call_report(placed, [], False, ()).active_callbacks == 1
