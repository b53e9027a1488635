"""The personas' calls, as they ideally go, are read as their file expects: outcome, flags, fields."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
import yaml

from local.callee.matching import AnyOf, Exactly, Expected, Matches
from local.callee.persona import AnsweredBy, Persona, load_personas
from local.callee.value_matching import described, look_up, matches
from shared.domain.outcome import SUPPRESSING, Analysis
from tests.unit.functions.outcome_analysis.analysed import a_talk, analysed, machine_call

FILE = load_personas()
HEARD = yaml.safe_load(Path(__file__).with_name("as_heard.yaml").read_text(encoding="utf-8"))
OPENING = "Hola, soy Sofía, una asistente con inteligencia artificial, de parte de Nubelia. ¿Hablo con {}?"
# What a call says where the file leaves it open.
USUAL = {
    "scope": "tenant",
    "kind": "callback",
    "timezone": "Europe/Madrid",
    "with": "human",
}


def plausible(name: str, given: Mapping[str, Expected], persona: Persona) -> dict[str, object]:
    """A tool's arguments as the file wants them."""
    arguments: dict[str, object] = {}
    if name == "schedule_callback":
        arguments = {key: USUAL[key] for key in ("kind", "timezone", "with")}
    if name == "register_opt_out":
        said = [turn.say for turn in persona.turns if turn.say]
        arguments = {"scope": "tenant", "quote": said[len(said) // 2]}
    for key, expected in given.items():
        if isinstance(expected, Exactly):
            arguments[key] = expected.value
        elif isinstance(expected, AnyOf):
            arguments[key] = expected.any_of[0]
        elif isinstance(expected, Matches):
            said = [turn.say for turn in persona.turns if turn.say and matches(expected, turn.say)]
            arguments[key] = said[0]
    return arguments


def call_with(persona: Persona, said: Sequence[str]) -> Analysis:
    """A call in which the persona's words were understood as `said`."""
    lines: list[str] = []
    for words in said:
        is_first = not lines
        lines.append(f"P: {words}")
        name = persona.lead.contact_name
        lines.append(f"S: {OPENING.format(name) if is_first else 'De acuerdo, le entiendo.'}")
    if persona.answered_by is not AnsweredBy.HUMAN:
        return analysed(machine_call(*lines))
    required = persona.expect.tools.required
    tools = [(tool.name, plausible(tool.name, tool.args, persona)) for tool in required]
    return analysed(a_talk(lines, tools))


def ideally(persona: Persona) -> list[str]:
    return [turn.say for turn in persona.turns if turn.say is not None]


def as_heard(persona: Persona) -> list[str]:
    return list(HEARD[persona.id])


HEARINGS = [
    pytest.param(persona, understood, id=f"{persona.id}-{understood.__name__}")
    for persona in FILE.personas
    for understood in (ideally, as_heard)
    if understood is ideally or persona.id in HEARD
]


@pytest.mark.parametrize(("persona", "understood"), HEARINGS)
def test_a_persona_is_read_as_expected(
    persona: Persona, understood: Callable[[Persona], list[str]]
) -> None:
    analysis, expected = call_with(persona, understood(persona)), persona.expect
    assert expected.outcome is not None
    assert analysis.outcome in (expected.outcome.name, *expected.outcome_ok)
    assert {flag.name for flag in expected.flags} <= {flag.value for flag in analysis.flags}
    found: dict[str, object] = {name: field.value for name, field in analysis.fields.items()}
    found |= {"sentiment": analysis.sentiment, "language": analysis.language}
    found["opt_out"] = {"requested": analysis.opt_out.requested}
    for name, value in expected.extract.items():
        assert matches(value, look_up(found, name)), (name, look_up(found, name), described(value))
    stored = json.dumps([analysis.summary, found], ensure_ascii=False, default=str)
    for pattern in expected.must_not_store:
        assert not matches(Matches(regex=pattern.name), stored)
    suppressed = analysis.opt_out.requested or analysis.outcome in SUPPRESSING
    assert suppressed is bool(expected.final_state.suppressed)
