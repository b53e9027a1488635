"""Questions that the facts do not answer: whoever knows is named, nothing is made up."""

from __future__ import annotations

import re

from local.realtime.mind.port import MindReply
from local.realtime.mind.situation import Situation
from local.realtime.mind.words import reply

_TAXES = (
    r"desgrav|deducir|deducible|hacienda|factura|verifactu|autonom\w+ (puedo|se)|mi gestor|impuesto"
)
_VAT = r"\biva\b"
_OTHER_COSTS = (
    r"(coste|gasto|cuota|pago|precio|tarifa)s? (de|por|extra|adicional|oculto)|(hay|lleva|tiene|cobr\w+) (alguna )?(comision|alta|cuota|penalizacion)"
    r"|(pag\w+|cobr\w+) (al|por|cada) (ano|mes|trimestre|reserva|sms|cliente|mensaje)|forma de pago|como se paga|domicili|tarjeta|financia"
    r"|instalacion (cuesta|gratis)|(precio|cuesta) por (persona|empleado|sillon|silla)"
)
_ASKED = re.compile(r"¿([^?¿]*)\?|([^.!?¡¿]*)\?")
_LEADS_IN = r"(?:y|pero|oiga|oye|una pregunta|a ver|perdon\w*|entonces|por cierto|digame|dime)"
_INTERROGATIVE = r"(?:(?:a|con|de|en|para|por|desde|hasta) )?(?:cuant[oa]s?|como|que|cual(?:es)?|cuando|donde|quien(?:es)?)"
_VERB = (
    r"(?:tien\w+|teneis|tenemos|funcion\w+|sirv\w+|pued\w+|podeis|podria\w*|hay|es|esta|estan|son|sois|vale|incluye|lleva"
    r"|guard\w+|necesit\w+|hace|hacen|trae|viene|avisa\w*|manda\w*|cobr\w+|da|dan|deja|existe|conoce\w*|sabe\w*|habl\w+|trabaj\w+"
    r"|(?:se|me|le|les|nos|os|te|lo|la) \w+|si \w+|tambien|mis \w+|las \w+|los \w+|el \w+|la \w+|eso|esto|ya|no)"
)
_ASKS = re.compile(rf"^\W*(?:{_LEADS_IN},? )*(?:(?:{_INTERROGATIVE})\b|{_VERB}\b)")
_BARELY = re.compile(rf"^\W*(?:{_LEADS_IN},? )*{_INTERROGATIVE}\b")
# Whoever answers the phone says "¿Qué hay?", "¿Quién?", "¿Es para la agenda?"; a tag asks for nothing.
_ASKS_FOR_LITTLE = (
    r"^\W*(?:que (?:hay|pasa|tal)|quien( es)?|como|que|(?:que )?es para)\b[^?]{0,12}\W*$"
)
# So many words with a question mark ask something, however they begin.
_WORDS_MIN, _WORDS_ALONE = 3, 5


def taxes(situation: Situation) -> MindReply | None:
    if not _asks(situation) or not situation.hears(f"{_TAXES}|{_VAT}"):
        return None
    human = situation.human
    apart = any("iva aparte" in price.lower() for price in situation.facts.get("Precio", []))
    if situation.hears(_VAT):
        known = ("El IVA va aparte.", "Es más IVA, sí.")
        return reply(situation.fresh(*known) if apart else f"Lo del IVA se lo confirma {human}.")
    return reply(
        situation.fresh(
            "En temas de impuestos no puedo aconsejarle; eso mejor su gestoría.",
            "De impuestos prefiero no decirle nada, no sea que me equivoque.",
        )
    )


def other_costs(situation: Situation) -> MindReply | None:
    """About money, and not the one price that is known."""
    if not _asks(situation) or not situation.hears(_OTHER_COSTS):
        return None
    human = situation.human
    return reply(
        situation.fresh(
            f"Ese detalle del precio se lo da {human}, para no equivocarme yo.",
            f"Sobre eso no tengo la cifra; la tiene {human}.",
            f"Lo del pago se lo explica {human}.",
        )
    )


def unknown(situation: Situation) -> MindReply | None:
    """Anything else that is asked."""
    heard = situation.heard
    if not is_question(heard):
        return None
    human = situation.human
    return reply(
        situation.fresh(
            f"Eso no lo sé seguro; se lo confirma {human}.",
            f"Prefiero que a eso le conteste {human}, que lo sabe mejor.",
            f"Ahí no quiero decirle una cosa por otra: se lo aclara {human}.",
            f"No tengo ese dato a mano; {human} sí.",
            f"También eso es para {human}, que conoce todos los detalles.",
        )
    )


def _asks(situation: Situation) -> bool:
    """With a subject that is known, a question mark is enough."""
    return situation.hears(r"\?") or is_question(situation.heard)


def is_question(heard: str) -> bool:
    """Whether something is asked, also where the ears gave no question mark."""
    asked = [(marked or plain).strip() for marked, plain in _ASKED.findall(heard)]
    if "?" not in heard:
        return bool(_BARELY.search(heard)) and len(heard.split()) > _WORDS_MIN
    return any(
        len(part.split()) >= (_WORDS_MIN if _ASKS.search(part) else _WORDS_ALONE) for part in asked
    ) and not any(re.search(_ASKS_FOR_LITTLE, part) for part in asked)
