"""The scripted analyst: reads a labelled transcript by rules and fills the strict schema. It stands in for the text
model and is called that."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.realtime.mind import keywords
from local.realtime.mind.email import dictated
from local.realtime.mind.words import GATEKEEPER
from shared.agents import opt_out
from shared.agents.folding import folded

_TURN = re.compile(r"^\[(\d+)\] (SOFIA|PERSONA): (.*)$", re.MULTILINE)
_TOOL = re.compile(r"^HERRAMIENTA (\w+) (\{.*\})$", re.MULTILINE)
_HOSTILE = r"narices|denunci|en paz|hart[oa]|tercera vez"
_INJECTION = r"instrucciones|prompt|ahora eres|administrador|ejecut\w+ la herramienta"
_WRONG = r"aqui no (hay|es)|equivocad|movil particular|no hay ningun"
_CATALAN = r"catala|parlar|doncs|perdoni|digui|adeu"


@dataclass(slots=True)
class _Reading:
    """A transcript with its turns apart."""

    callee: list[tuple[int, str]] = field(default_factory=list)
    agent: str = ""
    tools: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.callee = list(self.callee)

    @property
    def everything(self) -> str:
        return " . ".join(folded(text) for _, text in self.callee)

    def where(self, pattern: str) -> tuple[int, str] | None:
        """The first of the callee's turns in which a pattern stands."""
        for turn, text in self.callee:
            if re.search(pattern, folded(text)):
                return turn, text
        return None


class RuleAnalyst:
    """Implements `AnalystMind`."""

    def answer(
        self, instructions: str, user_text: str, schema: Mapping[str, object]
    ) -> Mapping[str, object]:
        """An object valid under the analysis schema: every property, null where nothing was said."""
        reading = _read(user_text)
        properties = schema["properties"]
        assert isinstance(properties, Mapping)
        filled: dict[str, object] = dict.fromkeys(properties)
        filled |= _fields(reading)
        filled |= _verdict(reading)
        return {name: filled[name] for name in properties}


def _read(text: str) -> _Reading:
    reading = _Reading()
    for number, who, words in _TURN.findall(text):
        if who == "PERSONA":
            reading.callee.append((int(number), words))
        else:
            reading.agent += " " + folded(words)
    for name, arguments in _TOOL.findall(text):
        reading.tools[name] = json.loads(arguments)
    return reading


def _fields(reading: _Reading) -> dict[str, object]:
    fields: dict[str, object] = {}
    gatekeeper = reading.where(GATEKEEPER)
    owner = reading.where(keywords.OWNER)
    if gatekeeper is not None:
        fields["contact_role"] = _given(gatekeeper, "receptionist")
        fields["is_decision_maker"] = _given(gatekeeper, False)
        owner_name = re.search(r"\b([A-ZÁÉÍÓÚ][a-záéíóúñ]+) no est", gatekeeper[1])
        known = reading.tools.get("save_lead_info", {}).get("decision_maker_name")
        name = known or (owner_name.group(1) if owner_name else None)
        if name:
            fields["decision_maker_name"] = _given(gatekeeper, name)
    elif owner is not None:
        fields["contact_role"] = _given(owner, "owner")
        fields["is_decision_maker"] = _given(owner, True)
    for turn in reading.callee:
        count = keywords.staff_count(folded(turn[1]))
        if count is not None:
            fields["staff_count"] = _given(turn, count)
    for name, table in (
        ("booking_tools", keywords.BOOKING_TOOLS),
        ("pain_points", keywords.PAIN_POINTS),
        ("objections", keywords.OBJECTIONS),
        ("closing_days", keywords.CLOSING_DAYS),
    ):
        values = keywords.found(table, reading.everything)
        where = reading.where(table[values[0]]) if values else None
        if where is not None:
            fields[name] = _given(where, values)
    return fields | _next_contact(reading, gatekeeper is not None)


def _next_contact(reading: _Reading, gatekeeper: bool) -> dict[str, object]:
    fields: dict[str, object] = {}
    booked = reading.tools.get("schedule_callback")
    hour = reading.where(r"a las|a partir de|sobre las|primera hora|ultima hora") or (
        reading.callee[-1] if reading.callee else None
    )
    if booked and hour is not None:
        fields["callback_at"] = _given(hour, str(booked["at"]))
        fields["callback_timezone"] = _given(hour, str(booked["timezone"]))
        fields["callback_with"] = _given(hour, str(booked["with"]))
        if booked["kind"] == "demo":
            fields["interest_level"] = _given(hour, 2)
    elif gatekeeper and (best := reading.where(r"a partir de|suele|sobre las|por las")):
        fields["best_time"] = _given(best, best[1])
    sent = reading.tools.get("send_information")
    if sent is not None:
        consent = reading.where(r"permiso|correcto|si, si|a este numero") or reading.callee[-1]
        if sent["channel"] == "email":
            source = next((t for t in reading.callee if dictated(folded(t[1]))), consent)
            fields["email"] = _given(source, str(sent["address"]))
            fields["email_consent"] = _given(consent, True)
        else:
            fields["whatsapp_number"] = _given(consent, str(sent["address"]))
            fields["whatsapp_consent"] = _given(consent, True)
    return fields


def _verdict(reading: _Reading) -> dict[str, object]:
    everything = reading.everything
    objection = _objection(reading)
    flags = []
    for flag, flag_pattern in (
        ("hostile", _HOSTILE),
        ("prompt_injection", _INJECTION),
        (
            "human_requested",
            r"llame una persona|hablar con (una persona|alguien)|robots no",
        ),
    ):
        if re.search(flag_pattern, everything):
            flags.append(flag)
    if "report_privacy_request" in reading.tools:
        flags.append("privacy_request")
    outcome = _outcome(reading, bool(objection["requested"]))
    steps = {
        "qualified": "demo",
        "callback_requested": "callback",
        "info_requested": "info",
        "human_requested": "human",
    }
    negative = objection["requested"] or re.search(_HOSTILE, everything)
    language = "ca" if re.search(_CATALAN, everything) else "es"
    return {
        "opt_out": objection,
        "language": language,
        "sentiment": "negative"
        if negative
        else "positive"
        if outcome == "qualified"
        else "neutral",
        "next_step": steps.get(outcome, "none"),
        "flags": flags,
        "summary": _SUMMARIES.get(outcome, "Conversación breve sin acuerdo."),
        "reason": f"reglas sobre {len(reading.callee)} turnos de la persona",
        "outcome": outcome,
    }


_SUMMARIES = {
    "qualified": "La persona decide, cuenta sus problemas con las citas y acepta una demostración.",
    "callback_requested": "Pide que se le llame en otro momento y se acuerda día y hora.",
    "do_not_call": "No quiere más llamadas; queda registrado.",
    "not_interested": "No le interesa por ahora.",
    "gatekeeper": "Atiende alguien que no decide.",
    "info_requested": "Pide la información por escrito y da permiso.",
    "wrong_number": "El número no corresponde al negocio.",
}


def _objection(reading: _Reading) -> dict[str, object]:
    tool = reading.tools.get("register_opt_out")
    if tool is not None:
        return {
            "requested": True,
            "scope": tool.get("scope", "tenant"),
            "quote": tool.get("quote"),
        }
    for _, text in reading.callee:
        found = opt_out.match(text)
        if found is not None and found.kind is not opt_out.OptOutKind.SOFT:
            return {"requested": True, "scope": found.scope.value, "quote": found.quote}
    return {"requested": False, "scope": None, "quote": None}


def _outcome(reading: _Reading, objection: bool) -> str:
    everything = reading.everything
    booked = reading.tools.get("schedule_callback")
    rules: tuple[tuple[str, object], ...] = (
        ("wrong_number", re.search(_WRONG, everything)),
        ("do_not_call", objection),
        (
            "minor_answered",
            re.search(r"mi (mama|madre)|soy (un nino|una nina)", everything),
        ),
        (
            "business_closed",
            re.search(r"cerr(e|amos|ado) (el negocio|para siempre)|me jubil", everything),
        ),
        ("qualified", _is_qualified(reading, booked)),
        ("callback_requested", booked),
        ("info_requested", reading.tools.get("send_information")),
        (
            "human_requested",
            re.search(r"llame una persona|hablar con una persona", everything),
        ),
        ("existing_customer", re.search(r"ya soy client", everything)),
        ("gatekeeper", reading.where(GATEKEEPER)),
        (
            "not_interested",
            re.search(r"no me interesa|no necesit|que no, gracias", everything),
        ),
        ("hung_up", "end_call" not in reading.tools),
    )
    return next((code for code, holds in rules if holds), "inconclusive")


def _is_qualified(reading: _Reading, booked: dict[str, Any] | None) -> bool:
    pains = keywords.found(keywords.PAIN_POINTS, reading.everything)
    decides = reading.where(keywords.OWNER) is not None
    return bool(booked and booked.get("kind") == "demo" and pains and decides)


def _given(where: tuple[int, str], value: object) -> dict[str, object]:
    return {"turn": where[0], "quote": where[1], "value": value}
