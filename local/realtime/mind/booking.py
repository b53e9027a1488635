"""Times, addresses, next steps: read back before anything is promised."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from local.realtime.mind import answers, slots, topics
from local.realtime.mind import email as emails
from local.realtime.mind.keywords import BOOKING_TOOLS, PAIN_POINTS, found
from local.realtime.mind.port import Call, MindReply
from local.realtime.mind.situation import Situation, result
from local.realtime.mind.when import Vague, Wish, wish
from local.realtime.mind.words import is_gatekeeper, reply
from shared.agents import spoken

_ASKED = r"que dia|a que hora|sobre que hora|cuando (le|podria)|otra hora|viene (bien|mejor) el"
_YES = r"^\W*(si|correcto|vale|de acuerdo|eso es|exacto|perfecto|claro|a este)\b|si, si|le doy permiso|te doy permiso|doy permiso"
_ASKS_FOR_IT = r"llam|puede ser|viene bien|quedamos|vern|verlo|hablamos|mejor|prefiero"
_OF_THE_TIME = (
    r"(de la|por la) (manana|tarde|noche)|que (dia|hora)|a las \\w+|cuando (era|es|me llam)"
)
_OPEN = {
    Vague.AFTER_THE_HOLIDAYS: (
        "Claro, pasadas las fiestas. ¿Qué día de enero le viene bien?",
        "¿Qué día de enero prefiere?",
    ),
    Vague.NEXT_WEEK: (
        "La semana que viene, muy bien. ¿Qué día le va mejor?",
        "¿Lunes, martes, otro día?",
    ),
    Vague.NEXT_MONTH: ("El mes que viene, de acuerdo. ¿Qué día?", "¿Qué día del mes que viene?"),
    Vague.NOON: ("A mediodía, bien. ¿Sobre qué hora exactamente?", "¿A qué hora del mediodía?"),
}


def time_given(situation: Situation) -> MindReply | None:
    """A day, an hour or both, in answer to our question or by themselves."""
    now = situation.now
    said = wish(situation.heard, now)
    if said.is_empty or situation.called("schedule_callback"):
        return None
    if not (situation.has_said(_ASKED) or situation.hears(_ASKS_FOR_IT)):
        return None
    if is_gatekeeper(situation) and not situation.hears(r"llam\w+ "):
        return None
    if said.vague is not None:
        return reply(situation.fresh(*_OPEN[said.vague]))
    return _settled(situation, *_remembered(situation, said, now))


def offer_taken(situation: Situation) -> MindReply | None:
    """Yes or no to what Sofia has proposed: to talk now, a demonstration, a time."""
    if situation.called("schedule_callback"):
        return None
    asked = topics.last_topic(situation)
    if asked is topics.DEMO and answers.is_yes(situation.heard):
        return reply(topics.DAY.question(situation))
    if asked is topics.MOMENT and answers.is_no(situation.heard):
        return reply("Claro, no le entretengo: ¿qué día y a qué hora le viene mejor?")
    offered = re.search(r"le viene bien el ([^?]+)\?", situation.last_mine)
    if offered is None:
        return None
    if answers.is_yes(situation.heard):
        proposed = wish(offered.group(1), situation.now)
        return _settled(situation, proposed.day, proposed.at)
    if answers.is_no(situation.heard):
        return reply(
            situation.fresh("¿Qué otro día le viene bien?", "Dígame usted: ¿qué día y hora?")
        )
    return None


def appointment_asked(situation: Situation) -> MindReply | None:
    """They come back to the time that is booked."""
    booked = situation.called("schedule_callback")
    if booked is None or not situation.hears(_OF_THE_TIME):
        return None
    moment = result(booked).get("spoken")
    return reply(situation.fresh(f"Eso es: {moment}.", f"Sí, {moment}."))


def _settled(situation: Situation, day: date | None, at: time | None) -> MindReply:
    """Ask for what is missing, offer something else, or book."""
    if day is None:
        return reply(
            situation.fresh("¿Qué día le viene bien?", "¿De qué día hablamos?", "¿Y qué día sería?")
        )
    other = slots.instead(day, at, situation.now)
    if other is not None:
        return reply(other)
    if at is None:
        name = spoken.WEEKDAYS[day.weekday()]
        return reply(
            situation.fresh(f"El {name}, muy bien. ¿A qué hora?", "¿Y a qué hora le viene bien?")
        )
    return reply(None, Call("schedule_callback", _appointment(situation, day, at)))


def _appointment(situation: Situation, day: date, at: time) -> dict[str, object]:
    demo = _wants_demo(situation)
    human = demo or "persona" in situation.everything
    return {
        "kind": "demo" if demo else "callback",
        "at": datetime.combine(day, at, ZoneInfo(situation.zone)).isoformat(),
        "timezone": situation.zone,
        "with": "human" if human else "agent",
    }


def _remembered(situation: Situation, said: Wish, now: datetime) -> tuple[date | None, time | None]:
    """What was said now, filled up with what was said before."""
    day, at = said.day, said.at
    if day is None and said.later and at is not None and at > now.time():
        day = now.date()
    for text in reversed(situation.theirs[:-1]):
        before = wish(text, now)
        day = day or before.day
        at = at or before.at
    if day is None and at is not None:
        later = said.later or any("luego" in text for text in situation.theirs)
        if later and at > now.time():
            day = now.date()
    return day, at


def _wants_demo(situation: Situation) -> bool:
    return situation.has_said("demostracion") and bool(
        found(PAIN_POINTS, situation.everything) or found(BOOKING_TOOLS, situation.everything)
    )


_IN_WRITING = (
    r"(mand|envi)\w* (algo|la info|info|me|nos)|(mand|envi)\w*(me|nos|le|melo)\b|pas[ae]n?me (algo|la info|info|el|un)"
    r"|escrib(a|e|i|an|id|an)me|por (correo|whats|wasap|email|mail|escrito)|(un|al|mi) (whatsapp|wasap|correo|email)\b.*(mejor|prefiero|mand|envi)"
    r"|(prefiero|mejor) (un|el|al) (whatsapp|wasap|correo|email)"
)


def information(situation: Situation) -> MindReply | None:
    """They want it in writing."""
    if not situation.hears(_IN_WRITING):
        return None
    if not situation.may("send_information") or situation.called("send_information"):
        return None
    if situation.hears(BOOKING_TOOLS["whatsapp"]):
        return reply("Encantada. ¿Me da permiso para escribirle por WhatsApp a este mismo número?")
    if emails.dictated(situation.heard) is None:
        return reply(
            situation.fresh(
                "Encantada. ¿Me dice el correo, despacio?", "¿A qué correo se lo envío?"
            )
        )
    return None


def address_given(situation: Situation) -> MindReply | None:
    address = emails.dictated(situation.heard)
    if address is None:
        return None
    return reply(f"Le leo: {emails.spoken(address)}. ¿Es correcto y me da permiso para escribirle?")


def confirmed_address(situation: Situation) -> MindReply | None:
    """Yes to a read-back: now it may be sent."""
    if not situation.hears(_YES) or situation.called("send_information"):
        return None
    if "por whatsapp a este mismo numero" in situation.last_mine:
        number = situation.lead.get("Teléfono marcado", "")
        return reply(None, Call("send_information", {"channel": "whatsapp", "address": number}))
    if "le leo" in situation.last_mine:
        for text in reversed(situation.theirs):
            address = emails.dictated(text)
            if address is not None:
                arguments = {"channel": "email", "address": address}
                return reply(None, Call("send_information", arguments))
    return None
