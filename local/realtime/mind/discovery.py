"""Finding out: one open question at a time, skipping what is known, each after taking up what was said."""

from __future__ import annotations

from local.realtime.mind.keywords import BOOKING_TOOLS, PAIN_POINTS, found, staff_count
from local.realtime.mind.port import MindReply
from local.realtime.mind.situation import Situation
from local.realtime.mind.words import lead_info, reply

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


def next_question(situation: Situation) -> MindReply | None:
    """Acknowledge, then ask for what is not known yet, or propose the next step."""
    if situation.called("schedule_callback") or situation.called("send_information"):
        return reply(
            situation.fresh("Estupendo, queda todo anotado.", "Muy bien, así queda.", "De acuerdo.")
        )
    taken_up = _acknowledged(situation)
    known = situation.everything
    human = situation.fact("Persona de contacto")
    if not situation.has_said("buen momento|le pillo") and situation.hears(
        r"para la agenda|que es para|\?$"
    ):
        return reply("Sí, es por la agenda de citas. ¿Le pillo en buen momento?")
    if not found(BOOKING_TOOLS, known) and not situation.has_said("llevan ahora las citas"):
        return reply(f"{taken_up} ¿Cómo llevan ahora las citas?")
    if not found(PAIN_POINTS, known) and not situation.has_said("mas guerra"):
        return reply(f"{taken_up} ¿Qué es lo que más guerra le da?")
    if staff_count(known) is None and not situation.has_said("cuantas personas"):
        return reply(f"{taken_up} ¿Cuántas personas son en el salón?")
    if not lead_info(situation).get("is_decision_maker") and not situation.has_said(
        "las lleva usted"
    ):
        return reply(f"{taken_up} ¿Las decisiones de la agenda las lleva usted?")
    offer = f"{taken_up} ¿Le parece si {human} se lo enseña en una demostración? ¿Qué día le viene bien?"
    if not situation.has_said("demostracion"):
        return reply(offer.replace("demostración? ¿Qué", "demostración y qué"))
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
