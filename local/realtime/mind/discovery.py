"""Finding out: one open question at a time, skipping what is known, each after taking up what was said."""

from __future__ import annotations

from local.realtime.mind import topics
from local.realtime.mind.keywords import BOOKING_TOOLS, PAIN_POINTS, found, staff_count
from local.realtime.mind.port import MindReply
from local.realtime.mind.situation import Situation
from local.realtime.mind.words import reply

_ITS_PURPOSE = r"para la agenda|que es para|de que (se trata|va)|para que (es|me llam|llam)|que (quer|vend|ofrec)\w+"
_TOOL_NAMES = {
    "paper": "la agenda de papel",
    "whatsapp": "WhatsApp",
    "phone": "el teléfono",
    "excel": "Excel",
    "google_calendar": "Google Calendar",
    "treatwell": "Treatwell",
    "booksy": "Booksy",
    "fresha": "Fresha",
}


def purpose(situation: Situation) -> MindReply | None:
    """What the call is about."""
    if not situation.hears(_ITS_PURPOSE):
        return None
    if not situation.has_said(topics.MOMENT.asked):
        return _for_the_agenda()
    product = situation.product
    return reply(
        situation.fresh(
            f"Es por una {product}: sus clientas reservan solas.", f"Le llamo por una {product}."
        )
    )


def _for_the_agenda() -> MindReply:
    return reply(f"Sí, es por la agenda de citas. {topics.MOMENT.wordings[0]}")


def next_question(situation: Situation) -> MindReply | None:
    """Acknowledge, then ask for what is not known yet, or propose the next step."""
    if situation.is_settled:
        return reply(
            situation.fresh("Estupendo, queda todo anotado.", "Muy bien, así queda.", "De acuerdo.")
        )
    if situation.hears(r"\?$") and not situation.has_said(topics.MOMENT.asked):
        return _for_the_agenda()
    taken_up = _acknowledged(situation)
    topic = topics.next_topic(situation)
    if topic is not None:
        return reply(f"{taken_up} {topic.question(situation)}")
    return reply(
        situation.fresh(
            f"{taken_up} ¿Qué día y a qué hora le viene bien?",
            "¿Prefiere que le llamemos en otro momento?",
        )
    )


def _acknowledged(situation: Situation) -> str:
    """Half a sentence that takes up what was just said."""
    pains = found(PAIN_POINTS, situation.heard)
    if "no_shows" in pains:
        return situation.fresh(
            "Para eso están los recordatorios por WhatsApp.",
            "Entiendo lo de los plantones.",
        )
    if pains:
        return situation.fresh("Entiendo, eso quita mucho tiempo.", "Ya, es lo que más se oye.")
    tools = [_TOOL_NAMES[t] for t in found(BOOKING_TOOLS, situation.heard) if t in _TOOL_NAMES]
    if tools:
        return situation.fresh(f"{' y '.join(tools[:2])}, entiendo.".capitalize(), "Entiendo.")
    count = staff_count(situation.heard)
    if count is not None:
        return situation.fresh("Muy bien.", "De acuerdo.")
    return situation.fresh(
        "Encantada.", "Muy bien.", "Entiendo.", "Perfecto.", "De acuerdo.", "Claro."
    )
