"""Keeps intimate details out of what is stored beside the transcript.

The model is told to leave them out; this is the second line. A sentence too many is dropped rather than one too few
(GDPR art. 9, and what nobody would want written about them by somebody who sells).
"""

from __future__ import annotations

import re

from functions.outcome_analysis.plain import plain

_HEALTH = (
    r"enferm\w*|cancer\w*|tumor\w*|quimio\w*|operad[oa]|operacion|operan|cirugia|embaraz\w*|aborto|depres\w*|ansiedad"
    r"|hospital\w*|ingresad[oa]|medico|medica|medicacion|diagnos\w*|discapac\w*|minusval\w*|baja medica|de baja por"
    r"|covid|sida|vih|alcohol\w*|drogas?|drogadic\w*|adicci\w*|dolor\w*|lesion\w*|accidente|fallec\w*|muert[oea]\w*|murio|luto"
)
_FAMILY = (
    r"hij[oa]s?|marido|mi mujer|su mujer|espos[oa]s?|divorci\w*|viud[oa]|madre|padre|padres|suegr[oa]s?"
    r"|herman[oa]s?|abuel[oa]s?|niet[oa]s?|sobrin[oa]s?|bebe|jubil\w*|pensionista"
)
_BELIEF = (
    r"catolic\w*|cristian\w*|musulm\w*|judi[oa]s?|evangel\w*|testigos? de jehova|religi\w*|iglesia|mezquita|ramadan"
    r"|sindicat\w*|sindical\w*|partido politico|vota|voto|votante|izquierdas|derechas"
)
_LIFE = (
    r"gay|lesbian\w*|homosex\w*|bisex\w*|transex\w*|transgen\w*|gitan[oa]s?|inmigrant\w*|refugiad[oa]s?|sin papeles"
    r"|deudas?|embarg\w*|moros[oa]|carcel|preso|presa|condenad[oa]|maltrat\w*|agredi\w*|desahuci\w*"
)
_PRIVATE = re.compile(rf" (?:{_HEALTH}|{_FAMILY}|{_BELIEF}|{_LIFE}) ")
# Numbers and addresses have fields of their own.
_CONTACT = re.compile(r"\S+@\S+|\+?\d(?:[ .-]?\d){6,}")
_SENTENCE = re.compile(r"(?<=[.!?…])\s+")
MAX_SENTENCES, MAX_CHARACTERS = 3, 600


def is_private(text: str) -> bool:
    """Whether a text speaks of health, family, belief or the like, or holds a number or address."""
    return bool(_PRIVATE.search(plain(text)) or _CONTACT.search(text))


def without_private_details(summary: str) -> tuple[str, bool]:
    """The first sentences that may be kept, and whether any had to go."""
    sentences = [part for part in _SENTENCE.split(" ".join(summary.split())) if part]
    kept = [sentence for sentence in sentences if not is_private(sentence)]
    text = " ".join(kept[:MAX_SENTENCES])
    return text[:MAX_CHARACTERS], len(kept) < len(sentences)
