"""Recognises an objection to further calls in the callee's words: the second detector beside the model's tool.

In doubt the number is suppressed, but a bad moment, a wrong line or a form of address is no objection. SOFT ones are
asked about and not suppressed by these words alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from shared.agents.folding import words


class OptOutKind(StrEnum):
    EXPLICIT = "explicit"
    IMPLICIT = "implicit"
    CONDITIONAL = "conditional"
    SOFT = "soft"


class OptOutScope(StrEnum):
    TENANT = "tenant"
    PLATFORM = "platform"


@dataclass(frozen=True, slots=True)
class OptOutMatch:
    """What was recognised, and the callee's own words."""

    kind: OptOutKind
    scope: OptOutScope
    quote: str


_CALL = r"(llam\w*|telefone\w*|marq\w*)"
_NOT_AN_OBJECTION = (
    r"no me llam\w* (ahora|hoy|luego|al fijo|al movil|de usted|de tu|carmen|a esta hora|antes|por la)",
    r"no me llamo\b",
    r"no (te|se|os) llam",
)
_CONDITIONAL = (rf"(no|ni) (me|nos|le)? ?(vuelv\w+ a )?{_CALL}( mas)? hasta que",)
_EXPLICIT = (
    rf"no (quiero|queremos|deseo) (que )?(me |nos )?(recibir )?(mas |vuelv\w+ a )*{_CALL}",
    rf"no (me|nos) (vuelv\w+ a )?{_CALL} (nunca )?(mas|jamas|otra vez)",
    rf"no (me|nos) {_CALL} (mas|nunca|jamas)",
    rf"no (me|nos)? ?vuelv\w+ a {_CALL}",
    rf"no vuelv\w+ a {_CALL}(me|nos)?",
    rf"(dejen|dejad|deja|dejar|deje) de {_CALL}",
    r"(quit|borr|sac|elimin)\w*(me|nos|lo|la|los)? (de|de la|de su|de vuestra|de esa) (la )?(lista|base|ahi|agenda|fichero)",
    r"me (quit|borr|sac|elimin)\w+ (de|de la|de su) (la )?(lista|base|agenda|fichero)",
    r"(quit|borr)en?lo de ahi",
    r"(borr|elimin|quit)\w+ (mi|mis|nuestro|este|el) (telefono|numero|datos|movil)",
    r"(dame|deme|denme|dadme|darme|quiero darme) de baja",
    r"(estoy|estamos) en la lista robinson",
    r"no quiero (que me llame|saber nada de (vosotros|ustedes))",
)
_IMPLICIT = (
    r"dej\w+ en paz",
    rf"como (me )?(volvais|vuelvan|vuelvas|vuelva) a {_CALL}",
    rf"(ya )?(os|les|le|te) (he|hemos) dicho que no {_CALL}",
    r"(os|les|le) (voy a denunciar|denuncio)",
)
_SOFT = (rf"casi mejor no (me|nos) {_CALL}", r"mejor dejadlo", r"prefiero que no")
_PLATFORM = re.compile(
    r"(todas las|ninguna) (llamadas|empresas?)|ningun robot|a nadie|de robots|todos los robots"
)


def match(text: str) -> OptOutMatch | None:
    """The objection in one utterance, None if there is none."""
    spoken = words(text)
    scope = OptOutScope.PLATFORM if _PLATFORM.search(spoken) else OptOutScope.TENANT
    for kind, patterns in (
        (OptOutKind.CONDITIONAL, _CONDITIONAL),
        (OptOutKind.EXPLICIT, _EXPLICIT),
        (OptOutKind.IMPLICIT, _IMPLICIT),
        (OptOutKind.SOFT, _SOFT),
    ):
        if any(re.search(rf" {pattern}", spoken) for pattern in patterns):
            if kind is OptOutKind.EXPLICIT and _is_something_else(spoken):
                continue
            return OptOutMatch(kind, scope, text.strip())
    return None


def _is_something_else(spoken: str) -> bool:
    return any(re.search(rf" {pattern}", spoken) for pattern in _NOT_AN_OBJECTION) and not any(
        word in spoken for word in (" mas ", " nunca ", " jamas ", " baja ", " lista ")
    )
