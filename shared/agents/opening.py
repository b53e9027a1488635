"""The opening: a fixed part with every legal duty, and the name question that the model speaks after it."""

from __future__ import annotations

import re
from itertools import pairwise

from shared.domain.agent import Duty, DutyPhrase, Opening, TenantFacts
from shared.domain.lead import Lead

_FIXED = (
    "Hola, soy {agent}, una asistente con inteligencia artificial, "
    "y llamo de parte de {company} con fines comerciales. "
    "La llamada se transcribe y, si prefiere que no le llamemos más, me lo dice y lo anoto."
)

_PAUSE = re.compile(r"[,.;:]+(?=\s|$)")


def opening_for(facts: TenantFacts, agent_name: str) -> Opening:
    """The tenant's opening, not yet approved. The facts of the law are fixed, only the names are the tenant's."""
    return Opening(
        text=_FIXED.format(agent=agent_name, company=facts.company),
        duties=(
            DutyPhrase(Duty.AI, "una asistente con inteligencia artificial"),
            DutyPhrase(Duty.COMPANY, f"de parte de {facts.company}"),
            DutyPhrase(Duty.PURPOSE, "con fines comerciales"),
            DutyPhrase(Duty.TRANSCRIPTION, "La llamada se transcribe"),
            DutyPhrase(
                Duty.RIGHT_TO_OBJECT,
                "si prefiere que no le llamemos más, me lo dice y lo anoto",
            ),
        ),
    )


def clauses(opening: Opening) -> tuple[str, ...]:
    """The stretches of the text that can stand by themselves, in order. Marks within the words of a duty end none, so
    that a name such as `Salón Mar, S.L.` stays whole, and a duty is said from its beginning."""
    text = opening.text
    starts = [(text.index(phrase.words), len(phrase.words)) for phrase in opening.duties]
    ends = [
        pause.end()
        for pause in _PAUSE.finditer(text)
        if not any(start < pause.end() <= start + length for start, length in starts)
    ]
    bounds = sorted({0, *ends, len(text)})
    return tuple(text[begin:end].strip() for begin, end in pairwise(bounds))


def name_question_guidance(lead: Lead) -> str:
    """The system item behind which the model asks for the person, and nothing else."""
    if lead.contact_name:
        question = f"¿Hablo con {one_line(lead.contact_name)}?"
    else:
        question = "¿Hablo con la persona responsable del salón?"
    return f"La apertura ya suena. Di ahora solo esta pregunta y nada más: «{question}»"


def one_line(text: str, limit: int = 80) -> str:
    """Foreign text as one short line without control characters: it is data and must not look like a section."""
    clean = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(clean.replace("#", " ").split())[:limit]
