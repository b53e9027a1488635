"""The opening: every duty in it, and clauses that leave names and duties whole."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.adapters.opening_studio import clip_of
from shared.agents.opening import clauses, opening_for
from shared.domain.agent import Agent, Duty, Opening, TenantFacts

FACTS = TenantFacts(
    "Nubelia", "agenda", "Laura", "9 a 19", "nueve uno cero", "n.example", "p@n.example", ()
)


def opening_of(company: str) -> Opening:
    return opening_for(replace(FACTS, company=company), "Sofía")


def test_each_duty_stands_in_the_text() -> None:
    opening = opening_of("Nubelia")
    assert {phrase.duty for phrase in opening.duties} == set(Duty)


@pytest.mark.parametrize("company", ["Nubelia", "Salón Mar, S.L.", "Corte, Color y Cía., S.A."])
def test_no_clause_ends_within_a_name_or_a_duty(company: str) -> None:
    opening = opening_of(company)
    pieces = clauses(opening)
    assert " ".join(pieces) == opening.text
    assert f"y llamo de parte de {company} con fines comerciales." in pieces
    for phrase in opening.duties:
        assert any(phrase.words in piece for piece in pieces)


def test_a_spoken_opening_has_each_duty_in_one_clause_whatever_marks_the_name_has() -> None:
    facts = replace(FACTS, company="Salón Mar, S.L.")
    agent = Agent("t", "sofia", 1, "Sofía", facts, opening_for(facts, "Sofía"))
    clip = clip_of(agent, b"\xff" * 80_000)
    duties = [duty for clause in clip.clauses for duty in clause.duties]
    assert sorted(duties) == sorted(Duty)
    [clause] = [clause for clause in clip.clauses if Duty.COMPANY in clause.duties]
    assert "Salón Mar, S.L." in clause.text
