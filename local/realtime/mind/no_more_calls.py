"""Objections to further calls, as a model would take them from the words. Rules of its own: what the product's matcher
finds must not be what the scripted mind finds, or nothing would show where the two differ."""

from __future__ import annotations

import re
from dataclasses import dataclass

from shared.agents.folding import folded


@dataclass(frozen=True, slots=True)
class Objection:
    """`sure` is false for words that may mean it; `scope` is `tenant` or `platform`."""

    sure: bool
    scope: str


_CALL = r"(?:llam|telefone|contact|molest)\w*"
_SURE = {
    "never again": rf"\bno (?:me |nos )?(?:vuelv\w+ a |quiero que (?:me |nos )?)?{_CALL}\b.{{0,15}}\b(?:mas|nunca|jamas)\b"
    rf"|\bno (?:me |nos )?(?:vuelv|volv)\w+ a {_CALL}|nunca mas .{{0,12}}{_CALL}",
    "no calls": r"\bno (?:quiero|queremos|acepto|deseo) (?:recibir )?(?:mas |sus |vuestras |estas |ninguna )?llamadas|ni una llamada mas",
    "stop": rf"\b(?:dej|par)\w* (?:ya )?de {_CALL}",
    "off the list": r"\b(?:quit|borr|saqu|sac|elimin|tach)(?:en|eis|es|e|ad|a|ar)(?:me|nos|l[oa]s?)?(?: \w+){0,3} (?:listas?|telefono|numero|datos|ahi|base|fichero)\b",
    "sign off": r"\b(?:de|dar|den|deme|dame|denme|darme|dadme|dar nos|danos) (?:me )?(?:de )?baja\b|quiero (?:la|mi) baja",
    "in peace": r"(?:dej\w+ en paz|en paz de una vez)",
    "threat": rf"\b(?:como|si) (?:volv|vuelv|sig)\w+ .{{0,12}}{_CALL}|(?:os|les?|te) (?:voy a )?denunci",
    "no permission": rf"me opongo|retiro (?:el|mi) (?:consentimiento|permiso)|no (?:tienen?|teneis|autorizo|doy) .{{0,30}}{_CALL}|lista robinson",
    "told before": rf"(?:dicho|dije|repito|pedido) (?:\w+ ){{0,3}}que no .{{0,15}}{_CALL}",
    "other languages": r"no em truqu|no vull .{0,20}truc|non me chame|ez deitu",
}
_PERHAPS = {
    "not me": rf"\bno (?:me|nos) {_CALL}",
    "rather not": r"prefiero que no\b|mejor que no me\b",
    "leave it": r"\bdej(?:adlo|enlo|elo) (?:ya|estar)|hart[oa] de (?:llamadas|que)",
}
# Another time, place or manner: no objection at all.
_ONLY_NOW = (
    rf"\bno (?:me|nos) {_CALL}(?: usted| mas)? (?:ahora|hoy|por la|a esta|a las|al|los |el |antes|despues|tan|tard|temprano|senora|de (?:usted|tu))"
    r"|si no (?:me|nos) llam|herramienta|todos los clientes"
)
_EVERYBODY = r"ningun[ao]? (?:otra )?empresa|todas las|nadie|otras empresas|robots?\b|maquinas?\b"


def objection_in(text: str) -> Objection | None:
    """The objection in what was said, None if there is none."""
    words = folded(text)
    if re.search(_ONLY_NOW, words):
        return None
    scope = "platform" if re.search(_EVERYBODY, words) else "tenant"
    if any(re.search(pattern, words) for pattern in _SURE.values()):
        return Objection(True, scope)
    if any(re.search(pattern, words) for pattern in _PERHAPS.values()):
        return Objection(False, scope)
    return None
