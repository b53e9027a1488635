"""People for whole calls beside those of the persona file, and what may be expected of every call."""

from __future__ import annotations

from typing import Any

from local.callee.persona import Persona
from local.placing import Placed
from shared.agents.folding import words


def answering(persona: Persona, number: str, *turns: dict[str, Any]) -> Persona:
    """Somebody at another number who says these things, and of whom nothing special is expected."""
    written = persona.model_dump(mode="json")
    lead = {**written["lead"], "phone": number}
    changes = {"id": f"{persona.id}-{number}", "lead": lead, "turns": list(turns), "expect": {}}
    return Persona.model_validate({**written, **changes})


def check_words(placed: Placed) -> None:
    """Sofia heard every word the callee said, in order, and no word of anybody else. Only the last thing said may be
    cut off, by the hang-up."""
    said = [speech.text for speech in placed.actor.account().own_speech if speech.is_speech]
    heard = [turn["heard"] for turn in placed.report["turns"] if turn["who"] == "callee"]
    spoken, understood = _plain(said), _plain(heard)
    assert spoken[: len(understood)] == understood
    assert len(understood) >= len(_plain(said[:-1]))


def _plain(texts: list[str]) -> list[str]:
    return [word for text in texts for word in words(text or "").replace(".", "").split()]
