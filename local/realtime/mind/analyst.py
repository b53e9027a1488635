"""The scripted analyst: reads a labelled transcript by rules and fills the strict schema. It stands in for the text
model and is called that."""

from __future__ import annotations

import re
from collections.abc import Mapping

from local.realtime.mind import analyst_words as vocabulary
from local.realtime.mind.analyst_fields import Fields, fields_of
from local.realtime.mind.machine_signs import machine_in
from local.realtime.mind.no_more_calls import objection_in
from local.realtime.mind.reading import Reading, read

_FLAGS = {
    "hostile": vocabulary.HOSTILE,
    "prompt_injection": vocabulary.INJECTION,
    "social_engineering": vocabulary.SOCIAL_ENGINEERING,
    "human_requested": vocabulary.WANTS_A_PERSON,
    "privacy_request": vocabulary.PRIVACY,
    "recording_objection": vocabulary.RECORDING,
    "audio_problem": vocabulary.AUDIO,
    "minor": vocabulary.MINOR,
}
_STEPS = {
    "qualified": "demo",
    "callback_requested": "callback",
    "info_requested": "info",
    "human_requested": "human",
}
_SUMMARIES = {
    "qualified": "Decide sobre la agenda, cuenta qué le falla y acepta una demostración con día y hora.",
    "callback_requested": "Pide que se le llame en otro momento y se acuerda cuándo.",
    "human_requested": "Prefiere hablar con una persona; no se acordó hora.",
    "do_not_call": "No quiere más llamadas.",
    "not_interested": "No le interesa por ahora.",
    "gatekeeper": "Atiende alguien que no decide.",
    "info_requested": "Pide la información por escrito y da permiso para enviarla.",
    "existing_customer": "Ya es cliente.",
    "business_closed": "El negocio ya no está abierto.",
    "wrong_number": "El número no corresponde al negocio.",
    "minor_answered": "Contestó un menor.",
    "hung_up": "Cortó antes de que hubiera nada claro.",
}
# A few words of another language may be a name; two are speech.
_SPOKEN_FROM = 2


class RuleAnalyst:
    """Implements `AnalystMind`."""

    def answer(
        self, instructions: str, user_text: str, schema: Mapping[str, object]
    ) -> Mapping[str, object]:
        """An object valid under the analysis schema: every property, null where nothing was said."""
        reading = read(user_text)
        properties = schema["properties"]
        assert isinstance(properties, Mapping)
        fields = fields_of(reading)
        filled: dict[str, object] = {**dict.fromkeys(properties), **fields}
        filled |= _verdict(reading, fields)
        return {name: filled[name] for name in properties}


def _verdict(reading: Reading, fields: Fields) -> dict[str, object]:
    objection = _objection(reading)
    outcome = _outcome(reading, fields, bool(objection["requested"]))
    language = _language(reading)
    flags = [flag for flag, pattern in _FLAGS.items() if reading.says(pattern)]
    if reading.tool("report_privacy_request") is not None and "privacy_request" not in flags:
        flags.append("privacy_request")
    if language != "es":
        flags.append("language_mismatch")
    turns = len({sentence.turn for sentence in reading.sentences})
    return {
        "opt_out": objection,
        "language": language,
        "sentiment": _sentiment(reading, outcome),
        "flags": flags,
        "reason": f"reglas sobre {turns} turnos de la persona",
        "outcome": outcome,
        "next_step": _STEPS.get(outcome, "none"),
        "summary": _SUMMARIES.get(outcome, "Conversación breve sin acuerdo."),
    }


def _objection(reading: Reading) -> dict[str, object]:
    for sentence in reading.sentences:
        found = objection_in(sentence.text)
        if found is not None and found.sure:
            return {
                "turn": sentence.turn,
                "quote": sentence.text,
                "scope": found.scope,
                "requested": True,
            }
    return {"turn": None, "quote": None, "scope": None, "requested": False}


def _outcome(reading: Reading, fields: Fields, objects: bool) -> str:
    """The first that holds, in the order of the codes; a machine's words come before everything."""
    machine = machine_in(reading.everything)
    if machine is not None and not reading.says(vocabulary.OWNER):
        return machine
    says, booked = reading.says, reading.tool("schedule_callback")
    stands_between = says(vocabulary.GATEKEEPER)
    rules: tuple[tuple[str, object], ...] = (
        ("wrong_number", says(vocabulary.WRONG)),
        ("do_not_call", objects or reading.tool("register_opt_out") is not None),
        ("minor_answered", says(vocabulary.MINOR)),
        ("business_closed", says(vocabulary.CLOSED)),
        ("transferred", reading.tool("transfer_to_human") is not None),
        ("qualified", _is_qualified(fields, booked)),
        ("callback_requested", booked is not None),
        ("human_requested", says(vocabulary.WANTS_A_PERSON)),
        ("info_requested", reading.tool("send_information") is not None),
        ("existing_customer", says(vocabulary.EXISTING)),
        ("not_interested", says(vocabulary.NOT_INTERESTED) and not stands_between),
        ("gatekeeper", stands_between),
        ("language_barrier", _language(reading) == "en"),
        ("hung_up", reading.tool("end_call") is None),
    )
    return next((code for code, holds in rules if holds), "inconclusive")


def _is_qualified(fields: Fields, booked: Mapping[str, object] | None) -> bool:
    decides = fields.get("is_decision_maker")
    yes = isinstance(decides, dict) and decides["value"] is True
    return booked is not None and booked.get("kind") == "demo" and "pain_points" in fields and yes


def _sentiment(reading: Reading, outcome: str) -> str:
    if outcome == "do_not_call" or reading.says(vocabulary.HOSTILE):
        return "negative"
    pleased = outcome == "qualified" or reading.says(vocabulary.PLEASED)
    return "positive" if pleased and outcome != "not_interested" else "neutral"


def _language(reading: Reading) -> str:
    for language, pattern in vocabulary.LANGUAGES.items():
        if len(re.findall(pattern, reading.everything)) >= _SPOKEN_FROM:
            return language
    return "es"
