"""Objections are recognised however they are said, and nothing else is taken for one."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from local.callee.persona import load_personas
from shared.agents.opt_out import OptOutKind, OptOutScope, match

SENTENCES: dict[str, list[str]] = yaml.safe_load(
    Path(__file__).with_name("objections.yaml").read_text(encoding="utf-8")
)
CASES = [(text, kind) for kind, sentences in SENTENCES.items() for text in sentences]


def kind_of(text: str) -> str:
    found = match(text)
    return found.kind.value if found else "none"


@pytest.mark.parametrize(("text", "kind"), CASES)
def test_a_sentence_is_read_as_it_is_meant(text: str, kind: str) -> None:
    assert kind_of(text) == kind


@pytest.mark.parametrize(("text", "kind"), CASES)
def test_capitals_and_accents_that_a_recogniser_leaves_off_change_nothing(
    text: str, kind: str
) -> None:
    plain = text.lower().translate(str.maketrans("áéíóúüñ", "aeiouun", "¿¡"))
    assert kind_of(plain) == kind


def test_the_sentences_are_enough_and_of_every_kind() -> None:
    assert len({text for text, _ in CASES}) >= 150
    assert set(SENTENCES) == {kind.value for kind in OptOutKind} | {"none"}


def test_what_was_said_is_quoted() -> None:
    found = match("  Mire, no me llamen más.  ")
    assert found is not None
    assert found.quote == "Mire, no me llamen más."


@pytest.mark.parametrize(
    "text",
    ["No quiero más llamadas de ninguna empresa", "no me llamen más robots", "no nos llamen ni a nadie"],
)  # fmt: skip
def test_an_objection_to_everybody_is_platform_wide(text: str) -> None:
    found = match(text)
    assert found is not None
    assert found.scope is OptOutScope.PLATFORM


def test_an_objection_to_us_is_the_tenants() -> None:
    found = match("no me llaméis más")
    assert found is not None
    assert found.scope is OptOutScope.TENANT


def test_of_all_personas_only_those_who_object_are_heard_to() -> None:
    objecting = {
        persona.id
        for persona in load_personas().personas
        for turn in persona.turns
        if turn.say and kind_of(turn.say) not in ("none", "soft")
    }
    suppressed = {
        persona.id
        for persona in load_personas().personas
        if any(tool.name == "register_opt_out" for tool in persona.expect.tools.required)
    }
    assert objecting <= suppressed
