"""Every persona's lines, read out to the mind: what has to be done is done, and nothing is said twice."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field

import pytest

from local.callee.matching import Exactly
from local.callee.persona import AnsweredBy, Persona, load_personas
from local.realtime.mind.delivery import SENTENCES_MAX, WORDS_MAX, sentences
from local.realtime.mind.port import Call, Called, MindView, Role, Said, Say, ToolOffer
from local.realtime.mind.sales import SalesMind
from shared.agents.folding import folded
from shared.agents.lead_facts import lead_facts
from shared.agents.prompt import instructions
from shared.agents.tools import offered
from shared.domain.lead import Lead
from tests.unit.local.realtime.test_mind import AGENT

PEOPLE = [p for p in load_personas().personas if p.answered_by is AnsweredBy.HUMAN]
REPLIES_MAX = 4


@dataclass
class Talk:
    """A conversation without sound."""

    entries: list[Said | Called]
    calls: list[Call] = field(default_factory=list)
    replies: list[str] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        return any(call.name == "end_call" for call in self.calls)

    def hear(self, text: str) -> None:
        """Reply, see tools through, and reply to their results."""
        self.entries.append(Said(Role.USER, text))
        tools = [ToolOffer(tool.name, tool.when, {}) for tool in offered(AGENT)]
        for _ in range(REPLIES_MAX):
            parts = SalesMind().reply(MindView(instructions(AGENT), tools, self.entries)).parts
            for part in parts:
                if isinstance(part, Say):
                    self.replies.append(part.text)
                    self.entries.append(Said(Role.ASSISTANT, part.text))
                else:
                    self.calls.append(part)
                    self.entries.append(
                        Called("c", part.name, part.arguments, json.dumps(_result(part)))
                    )
            if any(isinstance(part, Say) for part in parts) or _waits(parts):
                return


def _waits(parts: tuple[Say | Call, ...]) -> bool:
    return any(isinstance(part, Call) and part.name == "wait_for_user" for part in parts)


def _result(call: Call) -> dict[str, object]:
    spoken = {
        "register_opt_out": {"reference_spoken": "O P, cuatro"},
        "schedule_callback": {"spoken": f"momento {call.arguments.get('at')}"},
    }
    return {"ok": True, **spoken.get(call.name, {})}


def held_with(persona: Persona) -> Talk:
    lead = Lead(persona.lead.phone, persona.lead.contact_name, timezone=persona.lead.timezone)
    facts = Said(Role.SYSTEM, lead_facts(AGENT, lead, persona.call_at))
    talk = Talk([facts, Said(Role.ASSISTANT, AGENT.opening.text)])
    for turn in persona.turns:
        if turn.say is not None and not talk.is_over:
            talk.hear(turn.say)
    return talk


@pytest.mark.parametrize("persona", PEOPLE, ids=lambda persona: persona.id)
def test_what_has_to_be_done_is_done(persona: Persona) -> None:
    talk = held_with(persona)
    for tool in persona.expect.tools.required:
        done = [call for call in talk.calls if call.name == tool.name]
        assert done, f"{tool.name} was not called"
        for name, expected in tool.args.items():
            if isinstance(expected, Exactly):
                assert done[0].arguments[name] == expected.value
    assert not {call.name for call in talk.calls} & set(persona.expect.tools.forbidden)


@pytest.mark.parametrize("persona", PEOPLE, ids=lambda persona: persona.id)
def test_she_keeps_her_manner_from_the_first_word_to_the_last(persona: Persona) -> None:
    talk = held_with(persona)
    said = Counter(folded(part) for reply in talk.replies for part in sentences(reply))
    assert {sentence for sentence, times in said.items() if times > 1} == set()
    for reply in talk.replies:
        assert len(sentences(reply)) <= SENTENCES_MAX
        assert len(reply.split()) <= WORDS_MAX
        assert reply.count("?") <= 1
        assert not re.search(r"soy (una )?(persona|humana|mujer)", folded(reply))


@pytest.mark.parametrize(
    "line",
    [
        "¿Funciona con iPhone?",
        "No sé.",
        "Gracias.",
        "Sois unos pesados.",
        "¿Cómo dice?",
        "El sábado.",
    ],
)
def test_the_same_line_again_and_again_gets_no_parrot(line: str) -> None:
    persona = PEOPLE[0]
    talk = Talk(
        [
            Said(Role.SYSTEM, lead_facts(AGENT, Lead("+34600000001", "Carmen"), persona.call_at)),
            Said(Role.ASSISTANT, AGENT.opening.text),
        ]
    )
    for _ in range(8):
        if not talk.is_over:
            talk.hear(line)
    said = Counter(folded(part) for reply in talk.replies for part in sentences(reply))
    assert max(said.values()) == 1
