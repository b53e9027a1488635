"""People for whole calls beside those of the persona file."""

from __future__ import annotations

from typing import Any

from local.callee.persona import Persona


def answering(persona: Persona, number: str, *turns: dict[str, Any]) -> Persona:
    """Somebody at another number who says these things, and of whom nothing special is expected."""
    written = persona.model_dump(mode="json")
    lead = {**written["lead"], "phone": number}
    changes = {"id": f"{persona.id}-{number}", "lead": lead, "turns": list(turns), "expect": {}}
    return Persona.model_validate({**written, **changes})
