"""What the scripted analyst takes for an objection or a pain, and what it does not."""

from __future__ import annotations

import pytest

from local.realtime.mind.analyst_fields import fields_of
from local.realtime.mind.reading import read


def found(field: str, said: str) -> list[str]:
    """The members of a list field in a call in which one thing was said."""
    entry = fields_of(read(f"[1] PERSONA: {said}\n</transcripcion>")).get(field)
    assert entry is None or isinstance(entry, dict)
    return list(entry["value"]) if entry else []


@pytest.mark.parametrize(
    ("said", "objections"),
    [
        ("¿Y eso cuánto costaría?", []),
        ("¿Qué precio tiene?", []),
        ("Hombre, verlo no me cuesta nada.", []),
        ("Y que me llame una persona, ¿eh?", []),
        ("Uf, eso es muy caro para mí.", ["price"]),
        ("Es mucho dinero.", ["price"]),
        ("Prefiero que me llame una persona.", ["prefers_human"]),
        ("Es que a mí hablar con robots no me gusta nada.", ["prefers_human"]),
        ("Ya tengo Treatwell.", ["has_tool"]),
    ],
)
def test_a_question_or_a_wish_is_no_objection(said: str, objections: list[str]) -> None:
    assert found("objections", said) == objections


@pytest.mark.parametrize(
    ("said", "pains"),
    [
        ("Y el WhatsApp, que me vuelve loca.", []),
        ("El teléfono sonando todo el día me vuelve loca.", ["calls_while_working"]),
        ("No puedo coger las llamadas mientras tiño.", ["calls_while_working"]),
        ("Lo peor es la gente que no viene.", ["no_shows"]),
    ],
)
def test_a_pain_is_what_was_complained_of(said: str, pains: list[str]) -> None:
    assert found("pain_points", said) == pains


@pytest.mark.parametrize(
    ("said", "count"),
    [
        ("Somos un equipo de doce peluqueras.", 12),
        ("Trabajamos aquí veintidós.", 22),
        ("Estoy sola.", 1),
    ],
)
def test_the_team_is_counted(said: str, count: int) -> None:
    entry = fields_of(read(f"[1] PERSONA: {said}\n</transcripcion>"))["staff_count"]
    assert isinstance(entry, dict)
    assert entry["value"] == count
