"""What is not written down about people."""

from __future__ import annotations

import pytest

from functions.outcome_analysis.private_details import is_private, without_private_details


@pytest.mark.parametrize(
    "text",
    [
        "Está de baja por una operación.",
        "Su hija está embarazada",
        "Es testigo de Jehová.",
        "Tiene deudas con Hacienda.",
        "Es un móvil particular, de un jubilado.",
        "Su móvil es el 600 00 00 01.",
        "Escribir a ana@salon.es",
        "Le duele: cáncer.",
    ],
)
def test_intimate(text: str) -> None:
    assert is_private(text)


@pytest.mark.parametrize(
    "text",
    [
        "Decide sobre la agenda y usa papel.",
        "Se da de baja de las llamadas.",
        "Prefiere el jueves 26 a las 11:00.",
        "Le fallan cuatro citas a la semana.",
        "Trabaja con peinados de novia en Padrón.",
        "",
    ],
)
def test_business(text: str) -> None:
    assert not is_private(text)


def test_three_sentences_are_kept_and_the_rest_is_not() -> None:
    assert without_private_details("Uno. Dos.\n Tres. Cuatro.") == ("Uno. Dos. Tres.", False)
    assert without_private_details("Está enferma. Dos.") == ("Dos.", True)
    assert without_private_details("a" * 900)[0] == "a" * 600
