"""How Sofia speaks, whatever the rules have come up with: short, one question at a time, no sentence twice."""

from __future__ import annotations

import re
from dataclasses import replace

from local.realtime.mind.port import MindReply, Say
from local.realtime.mind.situation import Situation
from shared.agents.folding import folded

SENTENCES_MAX, WORDS_MAX = 3, 45
_SHORT = (
    "Entiendo.", "De acuerdo.", "Claro.", "Muy bien.", "Ya veo.", "Le escucho.", "Comprendo.", "Perfecto.", "Vale.",
    "Bien.", "Ya.", "Eso es.", "Cómo no.",
)  # fmt: skip


def delivered(answer: MindReply, situation: Situation) -> MindReply:
    """The same reply in Sofia's manner."""
    return MindReply(
        tuple(
            replace(part, text=_in_her_manner(part.text, situation))
            if isinstance(part, Say)
            else part
            for part in answer.parts
        )
    )


def sentences(text: str) -> list[str]:
    return [found.strip() for found in re.split(r"(?<=[.!?…])\s+", text) if found.strip()]


def _in_her_manner(text: str, situation: Situation) -> str:
    kept: list[str] = []
    for sentence in sentences(text):
        if folded(sentence) in situation.my_sentences or sentence in kept:
            continue
        asks = "?" in sentence
        if asks and any("?" in earlier for earlier in kept):
            continue
        if len(kept) < SENTENCES_MAX and len(" ".join([*kept, sentence]).split()) <= WORDS_MAX:
            kept.append(sentence)
    if kept:
        return " ".join(kept)
    # Nothing is left that was not said: half a word is better than a parrot.
    return next((s for s in _SHORT if folded(s) not in situation.my_sentences), sentences(text)[0])
