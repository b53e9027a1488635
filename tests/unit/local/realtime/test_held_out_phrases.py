"""Phrases that nobody wrote the patterns for: each gets the right kind of reply, in Sofia's manner."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.realtime.mind.delivery import SENTENCES_MAX, WORDS_MAX, sentences
from local.realtime.mind.port import Call, Role, Said
from shared.agents.folding import folded
from tests.unit.local.realtime.test_mind import AGENT, answer, learnt

GROUPS = yaml.safe_load(
    Path(__file__).with_name("held_out_phrases.yaml").read_text(encoding="utf-8")
)
EARLIER = "Peluquería Carmen, dígame."


@dataclass(frozen=True)
class Reply:
    """What was said, folded, and done."""

    said: str
    calls: list[Call]

    def says(self, pattern: str) -> bool:
        return re.search(pattern, self.said) is not None

    def does(self, name: str) -> bool:
        return any(call.name == name for call in self.calls)


def says(pattern: str) -> Callable[[Reply], bool]:
    return lambda reply: reply.says(pattern) and not reply.calls


_MONEY = r"\d+ ?(euros|€)|\beuros\b"
KINDS: dict[str, Callable[[Reply], bool]] = {
    "books": lambda reply: reply.does("schedule_callback"),
    "asks_day": lambda reply: reply.says(r"(que|otro) dia|cuando|de que dia") and not reply.calls,
    "asks_hour": says(r"que hora"),
    "offers_weekday": says(r"no llamamos|ha pasado|festivo.*viene bien el (lun|mar|mier|jue|vier)"),
    "repeats": says(r"(le preguntaba|decia|me refiero|queria saber|le proponia)"),
    "unknown": says(r"laura"),
    "admits_ai": says(r"inteligencia artificial|\bia\b|un programa que conversa"),
    "asks_on": says(r"\?"),
    "price": says(r"desde 39 euros"),
    "no_figure": lambda reply: bool(reply.said) and not reply.says(_MONEY) and not reply.calls,
    "vat": says(r"iva"),
    "terms": says(r"permanencia|laura"),
    "gatekeeper": lambda reply: not reply.says(r"citas\?|guerra|demostracion") and not reply.calls,
    "partner": says(r"(los dos|con (su|ella|el)|juntos|hablar(lo)?).*\?"),
    "has_tool": says(r"hiciera|falta|resuelto"),
    "asks_permission": says(r"permiso para escribirle por whatsapp"),
    "asks_address": says(r"correo.*\?"),
    "offers_person": says(r"laura.*(dia|cuando)"),
    "registers": lambda reply: reply.does("register_opt_out") and not reply.said,
    "asks_whether": says(r"prefiere que no le llamemos mas\?"),
    "not_registered": lambda reply: not reply.does("register_opt_out"),
    "apologises": says(r"siento|lamento|disculp|perdon"),
    "names_company": says(r"nubelia"),
    "source": says(r"formulario|consta|de "),
    "transcribed": says(r"transcribe"),
    "refuses": says(r"no puedo|no le puedo|sigo siendo"),
    "wrong_number": says(r"disculp|perdon|error"),
    "minor": says(r"persona mayor"),
    "no_pressure": lambda reply: not reply.does("schedule_callback"),
    "ends": lambda reply: reply.does("end_call"),
    "talks": lambda reply: bool(reply.said or reply.calls),
    "learns": says(r"."),
}


def cases() -> list[Any]:
    return [
        pytest.param(group["after"], case, id=case["say"])
        for group in GROUPS
        for case in group["replies"]
    ]


def test_there_are_enough() -> None:
    assert len(cases()) >= 120


@pytest.mark.parametrize(("after", "case"), cases())
def test_a_phrase_gets_the_right_kind_of_reply(after: str, case: dict[str, Any]) -> None:
    said, calls = answer(EARLIER, Said(Role.ASSISTANT, after), case["say"])
    reply = Reply(folded(said), calls)
    assert KINDS[case["kind"]](reply), (said, calls)
    if "at" in case:
        assert str(calls[0].arguments["at"]).startswith(case["at"])
    if "staff" in case:
        assert learnt(case["say"])["staff_count"] == case["staff"]


@pytest.mark.parametrize(("after", "case"), cases())
def test_it_is_said_in_her_manner(after: str, case: dict[str, Any]) -> None:
    said, _ = answer(EARLIER, Said(Role.ASSISTANT, after), case["say"])
    parts = sentences(said)
    assert len(parts) <= SENTENCES_MAX
    assert len(said.split()) <= WORDS_MAX
    assert said.count("?") <= 1
    before = set(sentences(AGENT.opening.text)) | set(sentences(after))
    assert not before & set(parts)
    assert not re.search(r"soy (una )?(persona|humana|mujer)", folded(said))
    assert not re.search(r"\b(?!39\b)\d+ ?(euros|€)", said)
