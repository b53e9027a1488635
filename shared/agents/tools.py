"""Sofia's tools: what the model may ask for, typed and checked before anything happens.

A tool is offered only where something stands behind its promise. `parse` turns what the model wrote into one of the
classes below, or says in Spanish what is wrong, for the model to put right.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from shared.domain.agent import Agent, InformationChannel
from shared.domain.errors import InvalidInput, SofiaError
from shared.domain.gate import SPAIN, is_open, is_weekend
from shared.domain.outcome import OptOutScope, Outcome
from shared.domain.phone import e164


class InvalidToolCall(SofiaError):
    """The model's call cannot be carried out."""

    def __init__(self, message_for_the_model: str) -> None:
        super().__init__(message_for_the_model)
        self.message_for_the_model = message_for_the_model


@dataclass(frozen=True, slots=True)
class SaveLeadInfo:
    info: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ScheduleCallback:
    kind: str
    at: datetime
    timezone: str
    with_whom: str


@dataclass(frozen=True, slots=True)
class CancelCallback:
    pass


@dataclass(frozen=True, slots=True)
class SendInformation:
    channel: InformationChannel
    address: str


@dataclass(frozen=True, slots=True)
class RegisterOptOut:
    scope: OptOutScope
    quote: str


@dataclass(frozen=True, slots=True)
class ReportPrivacyRequest:
    kind: str


@dataclass(frozen=True, slots=True)
class TransferToHuman:
    reason: str


@dataclass(frozen=True, slots=True)
class WaitForUser:
    pass


@dataclass(frozen=True, slots=True)
class EndCall:
    outcome: Outcome


ToolCall = (
    SaveLeadInfo
    | ScheduleCallback
    | CancelCallback
    | SendInformation
    | RegisterOptOut
    | ReportPrivacyRequest
    | TransferToHuman
    | WaitForUser
    | EndCall
)


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as the model sees it. `when` is for the prompt, `properties` are JSON schemas."""

    name: str
    when: str
    properties: Mapping[str, Mapping[str, object]]
    required: tuple[str, ...]

    def as_session_tool(self) -> dict[str, object]:
        """The flat shape of a Realtime session's tool."""
        return {
            "type": "function",
            "name": self.name,
            "description": self.when,
            "parameters": {
                "type": "object",
                "properties": {name: dict(schema) for name, schema in self.properties.items()},
                "required": list(self.required),
                "additionalProperties": False,
            },
        }


_TEXT: Mapping[str, object] = {"type": "string"}
_TEXTS: Mapping[str, object] = {"type": "array", "items": {"type": "string"}}
_LEAD_FIELDS: Mapping[str, Mapping[str, object]] = {
    "contact_name": _TEXT,
    "contact_role": _TEXT,
    "decision_maker_name": _TEXT,
    "is_decision_maker": {"type": "boolean"},
    "staff_count": {"type": "integer"},
    "locations_count": {"type": "integer"},
    "booking_tools": _TEXTS,
    "pain_points": _TEXTS,
    "objections": _TEXTS,
    "interest_level": {"type": "integer"},
    "best_time": _TEXT,
    "closing_days": _TEXTS,
    "notes": _TEXT,
}
_SAVE = ToolSpec(
    "save_lead_info",
    "guarda lo que la persona ha dicho de su negocio; solo lo dicho, sin datos íntimos",
    _LEAD_FIELDS,
    (),
)
_SCHEDULE = ToolSpec(
    "schedule_callback",
    "cuando hay día y hora aceptados para una demostración (demo) u otra llamada (callback)",
    {
        "kind": {"type": "string", "enum": ["demo", "callback"]},
        "at": {
            "type": "string",
            "description": "ISO 8601 con desfase, p. ej. 2026-11-26T11:00:00+01:00",
        },
        "timezone": {"type": "string", "description": "la zona horaria de los datos de la llamada"},
        "with": {"type": "string", "enum": ["agent", "human"]},
    },
    ("kind", "at", "timezone", "with"),
)
_CANCEL = ToolSpec("cancel_callback", "cuando anulan la cita o llamada acordada", {}, ())
_OPT_OUT = ToolSpec(
    "register_opt_out",
    "en cuanto alguien no quiere más llamadas, el número es equivocado o el negocio ha cerrado; antes de contestar",
    {
        "scope": {"type": "string", "enum": [scope.value for scope in OptOutScope]},
        "quote": {"type": "string", "description": "sus palabras exactas"},
    },
    ("scope", "quote"),
)
_PRIVACY = ToolSpec(
    "report_privacy_request",
    "cuando ejercen un derecho sobre sus datos",
    {
        "kind": {
            "type": "string",
            "enum": [
                "access",
                "erasure",
                "rectification",
                "objection",
                "portability",
                "other",
            ],
        }
    },
    ("kind",),
)
_TRANSFER = ToolSpec(
    "transfer_to_human",
    "cuando piden hablar ahora con una persona, en horario",
    {"reason": _TEXT},
    ("reason",),
)
_WAIT = ToolSpec("wait_for_user", "ruido, o no hablan contigo: espera en silencio", {}, ())
_END = ToolSpec(
    "end_call",
    "al despedirte, en la misma respuesta que la despedida; una sola vez",
    {"outcome": {"type": "string", "enum": [outcome.value for outcome in Outcome]}},
    ("outcome",),
)


def offered(agent: Agent, *, can_transfer: bool = False) -> tuple[ToolSpec, ...]:
    """The tools of this agent version, in a fixed order. No promise without somebody who keeps it: `can_transfer` says
    that a transfer can be carried out, so it is offered where the tenant has a number for it."""
    facts = agent.facts
    tools = [_SAVE, _SCHEDULE, _CANCEL]
    if facts.information_channels:
        channels = [channel.value for channel in facts.information_channels]
        properties = {"channel": {"type": "string", "enum": channels}, "address": _TEXT}
        when = "cuando han pedido información y han dado permiso y dirección confirmada"
        tools.append(ToolSpec("send_information", when, properties, ("channel", "address")))
    tools.append(_OPT_OUT)
    if facts.privacy_email:
        tools.append(_PRIVACY)
    if can_transfer and facts.transfer_number:
        tools.append(_TRANSFER)
    return (*tools, _WAIT, _END)


_EMAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[a-z]{2,}$", re.IGNORECASE)


def parse(
    name: str,
    arguments_json: str,
    agent: Agent,
    *,
    now: datetime,
    zones: Sequence[ZoneInfo],
    can_transfer: bool = False,
) -> ToolCall:
    """The checked call. `now` is aware; `zones` are those the lead may be in (`gate.lead_zones`), most likely first;
    `can_transfer` as in `offered`. Raises InvalidToolCall."""
    tools = offered(agent, can_transfer=can_transfer)
    spec = next((tool for tool in tools if tool.name == name), None)
    if spec is None:
        raise InvalidToolCall(f"no existe la herramienta {name}")
    try:
        arguments = json.loads(arguments_json or "{}")
    except json.JSONDecodeError as error:
        raise InvalidToolCall("los argumentos no son JSON válido") from error
    if not isinstance(arguments, dict):
        raise InvalidToolCall("los argumentos deben ser un objeto")
    _check_fields(spec, arguments)
    match name:
        case "save_lead_info":
            return SaveLeadInfo(arguments)
        case "schedule_callback":
            return _schedule(arguments, now, zones)
        case "cancel_callback":
            return CancelCallback()
        case "send_information":
            return _information(arguments)
        case "register_opt_out":
            return RegisterOptOut(OptOutScope(arguments["scope"]), arguments["quote"][:300])
        case "report_privacy_request":
            return ReportPrivacyRequest(arguments["kind"])
        case "transfer_to_human":
            return TransferToHuman(arguments["reason"][:200])
        case "wait_for_user":
            return WaitForUser()
        case _:
            return EndCall(Outcome(arguments["outcome"]))


_TYPES: Mapping[str, type] = {
    "string": str,
    "integer": int,
    "boolean": bool,
    "array": list,
}


def _check_fields(spec: ToolSpec, arguments: Mapping[str, object]) -> None:
    missing = [name for name in spec.required if name not in arguments]
    unknown = [name for name in arguments if name not in spec.properties]
    if missing or unknown:
        raise InvalidToolCall(f"faltan {missing}, sobran {unknown}")
    if spec.name == "save_lead_info" and not arguments:
        raise InvalidToolCall("no hay nada que guardar")
    for name, value in arguments.items():
        schema = spec.properties[name]
        if not isinstance(value, _TYPES[str(schema["type"])]):
            raise InvalidToolCall(f"{name} no es del tipo {schema['type']}")
        allowed = schema.get("enum")
        if isinstance(allowed, list) and value not in allowed:
            raise InvalidToolCall(f"{name} debe ser uno de {allowed}")


def _schedule(
    arguments: Mapping[str, object], now: datetime, zones: Sequence[ZoneInfo]
) -> ScheduleCallback:
    try:
        at = datetime.fromisoformat(str(arguments["at"]))
    except ValueError as error:
        raise InvalidToolCall("at debe ser ISO 8601 con desfase") from error
    if at.tzinfo is None:
        raise InvalidToolCall("at necesita el desfase horario, p. ej. +01:00")
    zone = next((zone for zone in zones if zone.key == arguments["timezone"]), None)
    if zone is None:
        raise InvalidToolCall(f"timezone debe ser {zones[0].key}, la zona de la persona")
    local = at.astimezone(zone)
    if local.utcoffset() != at.utcoffset():
        raise InvalidToolCall(
            f"ese día el desfase en {zone.key} es {local.isoformat()[-6:]}; corrige at"
        )
    if at <= now:
        raise InvalidToolCall("esa hora ya ha pasado; propón otra")
    if at > now + timedelta(days=366):
        raise InvalidToolCall("esa fecha está demasiado lejos; propón una de este año")
    if any(is_weekend(at, possible) for possible in zones):
        raise InvalidToolCall("en fin de semana no se puede llamar; ofrece un día laborable")
    if not all(is_open(at, possible) for possible in zones):
        first, last = _open_hours(local, zone, zones)
        raise InvalidToolCall(
            f"solo entre las {first:%H:%M} y las {last:%H:%M}; ofrece la hora más cercana"
        )
    return ScheduleCallback(str(arguments["kind"]), local, zone.key, str(arguments["with"]))


def _open_hours(
    local: datetime, zone: ZoneInfo, zones: Sequence[ZoneInfo]
) -> tuple[datetime, datetime]:
    """The first and last minute of that day, in `zone`, in which a call is allowed wherever the person is."""
    day = local.date()
    first = max(datetime.combine(day, SPAIN.window_from, possible) for possible in zones)
    last = min(datetime.combine(day, SPAIN.last_dial, possible) for possible in zones)
    return first.astimezone(zone), last.astimezone(zone)


def _information(arguments: Mapping[str, object]) -> SendInformation:
    channel = InformationChannel(str(arguments["channel"]))
    address = str(arguments["address"]).strip()
    if channel is InformationChannel.EMAIL:
        if not _EMAIL.match(address):
            raise InvalidToolCall("el correo no es válido; pídelo otra vez y léelo de vuelta")
        return SendInformation(channel, address.lower())
    try:
        return SendInformation(channel, e164(address, "address"))
    except InvalidInput as error:
        raise InvalidToolCall("el número debe ir con +34 y nueve cifras") from error
