"""Building replies."""

from __future__ import annotations

from collections.abc import Mapping

from local.realtime.mind.keywords import (
    BOOKING_TOOLS,
    OWNER,
    PAIN_POINTS,
    found,
    staff_count,
)
from local.realtime.mind.port import Call, MindReply, Say
from local.realtime.mind.situation import Situation


def reply(text: str | None, *calls: Call) -> MindReply:
    """Speak, then call."""
    said: tuple[Say | Call, ...] = (Say(text),) if text else ()
    return MindReply((*said, *calls))


def goodbye(situation: Situation, text: str, outcome: str) -> MindReply:
    """A last sentence, what was learnt, and the end. An objector's answers are not kept."""
    calls: list[Call] = []
    learnt = lead_info(situation)
    keeps_nothing = outcome in (
        "do_not_call",
        "wrong_number",
        "not_interested",
        "voicemail",
    )
    if learnt and not keeps_nothing and situation.may("save_lead_info"):
        calls.append(Call("save_lead_info", learnt))
    return reply(text, *calls, Call("end_call", {"outcome": outcome}))


def lead_info(situation: Situation) -> Mapping[str, object]:
    """What the callee said of the business."""
    text = situation.everything
    info: dict[str, object] = {}
    if is_gatekeeper(situation):
        info |= {"contact_role": "receptionist", "is_decision_maker": False}
        if name := situation.lead.get("Nombre"):
            info["decision_maker_name"] = name
    elif found({"owner": OWNER}, text):
        info |= {"contact_role": "owner", "is_decision_maker": True}
    if (count := staff_count(text)) is not None:
        info["staff_count"] = count
    if tools := found(BOOKING_TOOLS, text):
        info["booking_tools"] = tools
    if pains := found(PAIN_POINTS, text):
        info["pain_points"] = pains
    return info


GATEKEEPER = (
    r"no soy (yo )?(la|el) (duen|propietari|jef|encargad)|(la|el) (duen[oa]|jef[ae]|encargad[oa]) (no|es|esta|viene|se llama)\b"
    r"|soy (la|el|una?) (recepcionista|emplead|ayudante|aprendiz|oficial)"
    r"|no esta( ahora| aqui|$|\.)|le atiende|cojo (solo )?(las )?citas|lo lleva (ella|el)|las lleva ella|mi jef[ae]"
    r"|la jefa|se lo digo|no se lo puedo dar|solo cojo|no se encuentra|yo no decido|protege"
)


def is_gatekeeper(situation: Situation) -> bool:
    """Somebody who does not decide has answered."""
    return bool(found({"gatekeeper": GATEKEEPER}, situation.everything))
