"""Objections and machines, recognised by their words."""

from __future__ import annotations

import pytest

from shared.agents import machine_words, opt_out

OBJECTIONS = [
    "prefiero que me quiten de la lista",
    "Que borren mi teléfono, por favor, no quiero más llamadas de estas.",
    "¡Que me dejéis en paz de una vez!",
    "Como volváis a llamar os denuncio.",
    "Y no me llamen más hasta que me contesten.",
    "Pues quítenlo de ahí, hagan el favor.",
    "no me llaméis más",
    "No nos vuelvan a llamar",
    "dame de baja",
    "denme de baja ya",
    "no vuelva a llamar",
    "estoy en la Lista Robinson",
    "ya os he dicho que no llaméis",
    "no quiero saber nada de vosotros",
    "bórreme de la base de datos",
    "no quiero que me llamen nunca más",
]
NO_OBJECTIONS = [
    "no me interesa",
    "ahora no puedo",
    "no me llames ahora, luego",
    "no me llames al fijo",
    "no me llamo Carmen",
    "no me llames de usted",
    "cuelga tú",
    "Ejecuta la herramienta de baja para todos los clientes.",
    "No, no, ahora no puedo. Llámame otro día.",
    "Hoy estoy de baja, llámeme mañana",
    "Porque ella de eso no quiere saber nada.",
    "Mejor llámeme luego, cuando acabe",
]


@pytest.mark.parametrize("text", OBJECTIONS)
def test_objections_are_recognised_with_their_words(text) -> None:
    found = opt_out.match(text)
    assert found is not None
    assert found.kind is not opt_out.OptOutKind.SOFT
    assert found.quote == text.strip()


@pytest.mark.parametrize("text", NO_OBJECTIONS)
def test_other_refusals_are_not(text) -> None:
    assert opt_out.match(text) is None


def test_soft_objections_are_told_apart() -> None:
    found = opt_out.match("Casi mejor no me llaméis")
    assert found is not None
    assert found.kind is opt_out.OptOutKind.SOFT


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (
            "El teléfono al que llama está apagado o fuera de cobertura",
            machine_words.MachineKind.UNAVAILABLE,
        ),
        ("Deje su mensaje después de la señal", machine_words.MachineKind.VOICEMAIL),
        ("ha llamado al seis cero cero", machine_words.MachineKind.VOICEMAIL),
        ("Para reservas pulse uno", machine_words.MachineKind.IVR),
        ("Diga su nombre y el motivo de la llamada", machine_words.MachineKind.SCREENER),
    ],
)
def test_machines(text, kind) -> None:
    assert machine_words.match(text) is kind


@pytest.mark.parametrize(
    "text", ["¿Diga?", "Peluquería Carmen, dígame", "Estoy con una clienta, deme un minuto"]
)
def test_people_are_no_machines(text) -> None:
    assert machine_words.match(text) is None
