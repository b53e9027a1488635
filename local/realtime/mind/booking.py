"""Times, addresses, next steps: read back before anything is promised."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from local.realtime.mind import email as emails
from local.realtime.mind.keywords import BOOKING_TOOLS, PAIN_POINTS, found
from local.realtime.mind.port import Call, MindReply
from local.realtime.mind.situation import Situation
from local.realtime.mind.when import Wish, wish
from local.realtime.mind.words import is_gatekeeper, reply
from shared.agents import spoken

_ASKED = r"que dia|a que hora|cuando (le|podria)|otra hora|dia laborable"
_YES = r"^\W*(si|correcto|vale|de acuerdo|eso es|exacto|perfecto|claro|a este)\b|si, si|le doy permiso|te doy permiso|doy permiso"
SATURDAY = 5


def time_given(situation: Situation) -> MindReply | None:
    """A day, an hour or both, in answer to our question or by themselves."""
    now = situation.now
    said = wish(situation.heard, now)
    if said.day is None and said.at is None:
        return None
    wanted = situation.hears(r"llam|puede ser|viene bien|quedamos|vern|verlo|hablamos")
    asked = situation.has_said(_ASKED)
    if situation.called("schedule_callback") or not (asked or wanted):
        return None
    if is_gatekeeper(situation) and not situation.hears(r"llam\w+ "):
        return None
    day, at = _remembered(situation, said, now)
    if at is None:
        if day is not None and day.weekday() >= SATURDAY:
            return reply("En fin de semana no podemos llamar. ¿Le viene bien un día laborable?")
        name = spoken.WEEKDAYS[day.weekday()] if day else "día"
        return reply(
            situation.fresh(f"El {name}, muy bien. ¿A qué hora?", "¿Y a qué hora le viene bien?")
        )
    if day is None:
        return reply(situation.fresh("¿Qué día le viene bien?", "¿De qué día hablamos?"))
    if day.weekday() >= SATURDAY:
        return reply("En fin de semana no podemos llamar. ¿Le viene bien un día laborable?")
    moment = datetime.combine(day, at, ZoneInfo(situation.zone))
    human = (
        situation.hears("persona") or "persona" in situation.everything or _wants_demo(situation)
    )
    arguments = {
        "kind": "demo" if _wants_demo(situation) else "callback",
        "at": moment.isoformat(),
        "timezone": situation.zone,
        "with": "human" if human else "agent",
    }
    return reply(None, Call("schedule_callback", arguments))


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
    if day == now.date() and at is not None and at <= now.time():
        day = now.date() + timedelta(days=1)
    return day, at


def _wants_demo(situation: Situation) -> bool:
    return situation.has_said("demostracion") and bool(
        found(PAIN_POINTS, situation.everything) or found(BOOKING_TOOLS, situation.everything)
    )


def information(situation: Situation) -> MindReply | None:
    """They want it in writing."""
    if not situation.hears(
        r"(mand|envi)\w+ (algo|la info|info|me|nos)|(mand|envi)\w*(me|nos|le|melo)\b|por (correo|whats|wasap|email|mail)"
    ):
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
