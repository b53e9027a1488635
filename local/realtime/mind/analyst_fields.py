"""The fields that the scripted analyst finds, each with the sentence it stands on."""

from __future__ import annotations

import re

from local.realtime.mind import analyst_words as vocabulary
from local.realtime.mind import keywords
from local.realtime.mind.email import dictated
from local.realtime.mind.reading import Quote, Reading
from local.realtime.mind.spoken_numbers import NUMBER, value

Fields = dict[str, object]
_NAME = re.compile(
    r"\b(?:[Ss]oy|[Mm]e llamo|[Ll]es? atiende|[Hh]abla(?:s)? con|[Ss]óc l[ao]?)\s+([A-ZÁÉÍÓÚÑ][a-záéíóúñç]+)"
)
_ABSENT = re.compile(r"\b([A-ZÁÉÍÓÚÑ][a-záéíóúñç]+) (?:no está|no viene|ha salido|suele|viene)")
_BOSS = re.compile(
    r"\b(?:jefa|jefe|dueña|dueño|se llama|pregunte por)(?: es| se llama)?,? ([A-ZÁÉÍÓÚÑ][a-záéíóúñç]+)"
)
_ASKED_FOR = re.compile(r"\bcon ([A-ZÁÉÍÓÚÑ][a-záéíóúñç]+)\?")
_LOCATIONS = re.compile(
    rf"\b({NUMBER}) (?:salones|locales|centros|peluquerias|barberias|tiendas)\b"
)


def given(where: Quote, value: object) -> dict[str, object]:
    return {"turn": where.turn, "quote": where.text, "value": value}


def fields_of(reading: Reading) -> Fields:
    """What was said; what was not has no entry."""
    return {
        **_people(reading),
        **_business(reading),
        **_attitude(reading),
        **_appointment(reading),
        **_addresses(reading),
    }


def _people(reading: Reading) -> Fields:
    fields: Fields = {}
    for sentence in reading.sentences:
        name = _NAME.search(sentence.text)
        if name and not re.search(vocabulary.INJECTION + r"|\bdi\b", sentence.folded):
            fields.setdefault("contact_name", given(sentence, name.group(1)))
    stands_at = reading.where(vocabulary.GATEKEEPER)
    owner = reading.where(vocabulary.OWNER)
    role = _role(reading)
    if role is not None:
        fields["contact_role"] = role
    if owner is not None and stands_at is None:
        fields |= {"contact_role": given(owner, "owner"), "is_decision_maker": given(owner, True)}
    if stands_at is not None:
        fields.setdefault("contact_role", given(stands_at, "receptionist"))
        fields["is_decision_maker"] = given(stands_at, False)
        name_of_owner = _decision_maker(reading, stands_at)
        if name_of_owner is not None:
            fields["decision_maker_name"] = name_of_owner
        best = reading.where(vocabulary.BEST_TIME)
        if best is not None:
            fields["best_time"] = given(best, best.text)
    return fields


def _role(reading: Reading) -> dict[str, object] | None:
    for role, pattern in (
        ("manager", vocabulary.MANAGER_ROLE),
        ("partner", vocabulary.PARTNER_ROLE),
        ("family", vocabulary.FAMILY_ROLE),
        ("employee", vocabulary.EMPLOYEE_ROLE),
        ("receptionist", vocabulary.GATEKEEPER_ROLE),
    ):
        where = reading.where(pattern)
        if where is not None:
            return given(where, role)
    return None


def _decision_maker(reading: Reading, stands_at: Quote) -> dict[str, object] | None:
    for sentence in reading.sentences:
        for pattern in (_ABSENT, _BOSS):
            found = pattern.search(sentence.text)
            if found:
                return given(sentence, found.group(1))
    saved = (reading.tool("save_lead_info") or {}).get("decision_maker_name")
    asked = [name for turn in reading.agent for name in _ASKED_FOR.findall(turn)]
    name = saved or (asked[0] if asked else None)
    return given(stands_at, str(name)) if name else None


def _business(reading: Reading) -> Fields:
    fields: Fields = {}
    for sentence in reading.sentences:
        staff = keywords.staff_count(sentence.folded)
        if staff is not None:
            fields.setdefault("staff_count", given(sentence, staff))
        locations = _LOCATIONS.search(sentence.folded)
        if locations:
            fields.setdefault("locations_count", given(sentence, value(locations.group(1))))
    for kind, pattern in vocabulary.BUSINESS_TYPES.items():
        where = reading.where(pattern, unless=r"\bno (hay|es|tengo)\b")
        if where is not None:
            fields.setdefault("business_type", given(where, kind))
    closed: dict[str, Quote] = {}
    for day, word in vocabulary.WEEKDAYS.items():
        where = reading.where(vocabulary.CLOSED_ON.format(word))
        if where is not None:
            closed[day] = where
    tools = _named(reading, vocabulary.BOOKING_TOOLS, vocabulary.NOT_A_BOOKING_TOOL)
    return fields | _lists(closing_days=closed, booking_tools=tools)


def _attitude(reading: Reading) -> Fields:
    pains = _named(reading, vocabulary.PAIN_POINTS)
    objections = _named(reading, vocabulary.OBJECTIONS)
    fields = _lists(pain_points=pains, objections=objections)
    for name, pattern in (
        ("timing", keywords.OBJECTIONS["later"] + r"|este trimestre|el ano que viene|en enero"),
        ("budget_signal", r"\bcaro|barat|descuento|mucho dinero|cobra por todo|presupuesto"),
    ):
        where = reading.where(pattern)
        if where is not None:
            fields[name] = given(where, where.text)
    return fields | _interest(reading)


def _interest(reading: Reading) -> Fields:
    booked = reading.tool("schedule_callback")
    for level, where in (
        (0, reading.where(vocabulary.NOT_INTERESTED)),
        (3, reading.where(vocabulary.EAGER) if booked else None),
        (2, _appointed(reading) if booked and booked.get("kind") == "demo" else None),
        (1, reading.where(r"informacion|mand\w+|envi\w+|lo mirar|lo miro")),
    ):
        if where is not None:
            return {"interest_level": given(where, level)}
    return {}


def _appointment(reading: Reading) -> Fields:
    booked = reading.tool("schedule_callback")
    where = _appointed(reading)
    if booked is None or where is None:
        return {}
    return {
        "callback_at": given(where, str(booked["at"])),
        "callback_timezone": given(where, str(booked["timezone"])),
        "callback_with": given(where, str(booked["with"])),
    }


def _appointed(reading: Reading) -> Quote | None:
    """Where the hour was named, else the day, else the last words."""
    hour = reading.where(
        r"\b(a|sobre|de|desde) (partir de )?las? |primera hora|ultima hora|mediodia"
    )
    day = reading.where(r"\bhoy\b|manana|lunes|martes|miercoles|jueves|viernes")
    last = reading.sentences[-1] if reading.sentences else None
    return hour or day or last


def _addresses(reading: Reading) -> Fields:
    sent = reading.tool("send_information")
    if sent is None or not reading.sentences:
        return {}
    consent = reading.where(vocabulary.CONSENT, unless=r"\bno\b") or reading.sentences[-1]
    if sent["channel"] == "email":
        spelt = (s for s in reading.sentences if dictated(s.folded))
        source = next(spelt, reading.where("arroba") or consent)
        names = ("email", "email_consent")
    else:
        source, names = consent, ("whatsapp_number", "whatsapp_consent")
    return {names[0]: given(source, str(sent["address"])), names[1]: given(consent, True)}


def _named(reading: Reading, table: dict[str, str], unless: str | None = None) -> dict[str, Quote]:
    """Names of a table with the first sentence that speaks of them."""
    found = {name: reading.where(pattern, unless) for name, pattern in table.items()}
    return {name: where for name, where in found.items() if where is not None}


def _lists(**lists: dict[str, Quote]) -> Fields:
    """Lists stand on the sentence of their first member."""
    return {
        name: given(next(iter(found.values())), list(found))
        for name, found in lists.items()
        if found
    }
