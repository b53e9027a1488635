"""Recognises an objection to further calls in the callee's words: the second detector beside the model's tool.

Objections come in families, each with what is said and, beside it, what makes the same words something else. Words that
limit a call to another time or place are no objection; what may or may not be one is SOFT: it is asked about, and
suppresses nothing by itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from shared.agents import objection_words as w
from shared.agents.folding import words_and_pauses
from shared.agents.objection_words import either
from shared.domain.outcome import OptOutScope


class OptOutKind(StrEnum):
    EXPLICIT = "explicit"
    IMPLICIT = "implicit"
    CONDITIONAL = "conditional"
    SOFT = "soft"


@dataclass(frozen=True, slots=True)
class OptOutMatch:
    """What was recognised, and the callee's own words."""

    kind: OptOutKind
    scope: OptOutScope
    quote: str


class _Family:
    """Sentences that say the same. What stands right before or after them, or anywhere in the utterance, undoes it."""

    def __init__(
        self,
        kind: OptOutKind,
        *says: str,
        unless_before: str = "",
        unless_after: str = "",
        unless_said: str = "",
    ) -> None:
        self.kind = kind
        self._says = re.compile(rf"(?<= ){either(*says)}")
        self._before = re.compile(rf" (?:{unless_before})(?: ,)? $") if unless_before else None
        self._after = re.compile(rf" (?:{unless_after})\b") if unless_after else None
        self._said = re.compile(rf" (?:{unless_said})\b") if unless_said else None

    def recognises(self, spoken: str) -> bool:
        if self._said and self._said.search(spoken):
            return False
        return any(
            not (self._before and self._before.search(spoken[: found.start()]))
            and not (self._after and self._after.match(spoken, found.end()))
            for found in self._says.finditer(spoken)
        )


_CONDITIONAL, _EXPLICIT = OptOutKind.CONDITIONAL, OptOutKind.EXPLICIT
_IMPLICIT, _SOFT = OptOutKind.IMPLICIT, OptOutKind.SOFT

_UNTIL_ANSWERED = _Family(
    _CONDITIONAL,
    rf"{either(w.CALL_ME_NOT, w.CALL_ME_NOT_AGAIN)}(?: mas)?(?: ,)? (?:hasta que|a menos que|salvo que)",
    unless_after="(?:me |se )?(?:cierr|abr|acab|termin|salg|pas|llegu|vuelv|sea|empiec)\\w*",
)
# Another time, another person, or a way to reach us instead, in the same breath.
_INSTEAD = (
    r"(?:llam(?:ame|eme|enme|adme|anos|enos|ennos|adnos) |que (?:me|nos) llame una? "
    r"|me llam(?:as|ais|an|a) (?:luego|manana|a las|el|por la|otro)|ya (?:le |les |os |te )?llam(?:o|are|aremos)"
    r"|yo (?:le|les|os|te) llamo|(?:la|lo|le|les|os|te) llamo yo|escrib(?:ame|anme|eme|idme)|mand(?:eme|enme|ame|adme) un)"
)
_NEVER_AGAIN = _Family(
    _EXPLICIT,
    rf"{w.CALL_ME_NOT}(?: usted| ustedes)?(?: {w.FOR_EVER})+",
    rf"{w.CALL_ME_NOT_AGAIN}(?: {w.FOR_EVER})*",
    rf"no (?:{w.TO_WHOM} )?{either('llamais', 'llamas')} {w.FOR_EVER}",
    rf"{either('ustedes', 'usted', 'a mi', 'aqui')} (?:ya )?no (?:me|nos) llaman? {w.FOR_EVER}",
    rf"no {w.TO_CALL} {w.FOR_EVER}",
    rf"(?:no volver a|favor de no(?: volver a)?) {w.TO_CALL}",
    rf"(?:nunca|jamas)(?: mas)? (?:{w.TO_WHOM} )?{either(f'{w.AGAIN} {w.TO_CALL}', w.CALL)}",
    r"no (?:me|nos) (?:deis|den|des|de) (?:mas )?(?:la lata|la tabarra|la brasa|el conazo)(?: mas)?",
    r"no pierd(?:ais|an|as|a) (?:mas )?el tiempo llamando(?:me|nos)?",
    rf"no (?:{w.TO_WHOM} )?{either('estais', 'esteis', 'esten?', 'sigais', 'sigan?', 'andeis', 'anden?')} llamando(?:me|nos)?",
    rf"no (?:{w.DO_NOT_WANT} )?contact(?:eis|en|es|e) (?:mas )?(?:conmigo|con nosotr[oa]s)",
    rf"no (?:{w.DO_NOT_WANT} )?{w.GET_IN_TOUCH}",
    rf"no {w.DO_NOT_WANT} (?:{w.TO_WHOM} )?{w.KEEP_CALLING}",
    r"no se molesten? en (?:volver a )?llamar(?:me|nos)?",
    r"no (?:me|nos) (?:escrib(?:ais|an|as|a)|mand(?:eis|en|es|e)) mas(?: mensajes| publicidad| whatsapps?)?(?= (?:\.|,|$))",
    r"(?:sea|es|sera) la ultima vez que (?:me |nos )?llam(?:ais|eis|as|an|en|es|a|e)\b",
    unless_before=rf"{w.NOT_MEANT_FOR_US}|{w.LIMITED}|casi (?:mejor|prefiero)(?: que)?|{w.SOMEBODY_ELSE}|quiero|para",
    unless_after=rf"{w.TIME}|{w.PLACE}|{w.SOMEBODY_ELSE}|{w.FORM_OF_ADDRESS}|{w.BUSY}|(?:de|que) (?:a|una|dos|tres|las?|los|el|por)",
    unless_said=_INSTEAD,
)
_NOT_ME = _Family(
    _EXPLICIT,
    rf"{w.DO_NOT_CALL_ME}{w.NOTHING_MORE}",
    unless_before=rf"{w.NOT_MEANT_FOR_US}|{w.LIMITED}|casi (?:mejor|prefiero)(?: que)?|{w.SOMEBODY_ELSE}",
    unless_said=_INSTEAD,
)
_POLITELY = _Family(
    _EXPLICIT,
    rf"{w.WOULD_LIKE} que (?:ustedes |usted )?no (?:{w.TO_WHOM} )?{w.CALLED}(?: mas)?",
    rf"{w.WOULD_LIKE} que (?:ustedes |usted )?(?:{w.TO_WHOM} )?{w.STOPPED}(?: ya)? de {w.TO_CALL}",
    unless_after=rf"{w.TIME}|{w.PLACE}|{w.SOMEBODY_ELSE}",
)
# Without `me` it may speak of customers: `prefiero que no llamen, que reserven`.
_NO_CALLS_HERE = _Family(
    _EXPLICIT,
    rf"no {w.CALL}{w.NOTHING_MORE}",
    rf"no (?:hace falta|es necesario) que {w.CALL}{w.NOTHING_MORE}",
    unless_before=rf"{w.NOT_MEANT_FOR_US}|{w.LIMITED}|casi mejor|(?:prefiero|mejor|quiero|gusta|gustaria) que|{w.SOMEBODY_ELSE}",
    unless_after="y (?:no|que)",
    unless_said=_INSTEAD,
)
_STOP = _Family(
    _EXPLICIT,
    rf"{either('dej(?:eis|en|es|e|ad|a)', 'par(?:eis|en|es|e|ad|a)')}(?: ya)? de {w.TO_CALL}",
    rf"{either('pued(?:en|es|e)', 'podeis', 'podrian?', 'quier(?:en|es|e)', 'quereis', 'favor de')} (?:dejar|parar) de {w.TO_CALL}",
    rf"(?:basta|ya esta bien|ya vale)(?: ya)? de {w.TO_CALL}",
    unless_before=rf"no(?: me| nos)?|se|que no|para que|{w.SOMEBODY_ELSE}",
    unless_after=rf"{w.TIME}|{w.SOMEBODY_ELSE}",
)
_NO_MORE_CALLS = _Family(
    _EXPLICIT,
    r"no (?:quiero|queremos|quisiera|querria|deseo|deseamos|acepto|aceptamos|admito|admitimos|autorizo|autorizamos|necesito)"
    r"(?: volver a recibir| seguir recibiendo| recibir| ni| una| ninguna| mas| este tipo de| estas| vuestras| sus)* llamadas?",
    r"no mas llamadas",
    r"ni una llamada mas",
    r"basta(?: ya)? de llamadas",
    r"se acabaron las llamadas",
    r"hart[oa]s? de (?:vuestras|sus|estas|tantas) llamadas",
    r"hart[oa]s? de que (?:me|nos) llam(?:eis|es)",
    unless_after=rf"(?:mas )?{w.TIME}|perdidas?|de (?:trabajo|(?:mis |las |los |la |una )?(?:client|gente)\w*)",
)
_OFF_THE_LIST = _Family(
    _EXPLICIT,
    rf"{w.TAKE_OFF} ?(?:me|nos) {w.LIST}",
    rf"(?:me|nos) (?:pueden? |podeis |puedes )?{w.ARE_TAKING_OFF} {w.LIST}",
    r"(?:quit|borr|sa[cq]u?)(?:en|e|ad)l[oa] (?:de ahi|de (?:la|su|vuestra) lista)",
    rf"(?:borr|elimin|quit|tach)(?:eis|en|es|e|ad|a) ?(?:me|nos)(?: ya)?{w.NOTHING_MORE}",
    rf"(?:que|quiero que) (?:me|nos) (?:borr|elimin|quit|tach)(?:eis|en|es|e){w.NOTHING_MORE}",
    rf"{w.TAKE_OFF}(?:me|nos|le)? {w.OWN_DATA}",
    rf"(?:dar|den|deis|dad|de) de baja {w.OWN_DATA}",
    rf"no (?:quiero|queremos) que teng(?:ais|an|as|a) {w.OWN_DATA}",
    unless_before=rf"no(?: me| nos)?|no hace falta que(?: me)?|sin|se|si|{w.SOMEBODY_ELSE}",
)
_SIGN_OFF = _Family(
    _EXPLICIT,
    r"(?:dame|deme|denme|dadme|de me|den me|danos|denos|dennos|dadnos|darme|darnos) de baja",
    r"(?:me|nos) (?:den|deis|des|de|doy|damos) de baja",
    r"(?:me|nos) (?:quiero|queremos|pueden?|podeis|puedes|gustaria) dar de baja",
    r"(?:solicito|quiero|tramiten?) (?:la|mi) baja",
    unless_before="no|no hace falta que",
    # Of somebody else's service or of a register.
    unless_after=r"(?:de|en|del|como) (?!(?:la |las |su |sus |vuestra |esa |esta |estas |este |est[eo]s? )"
    r"(?:lista|llamadas?|base|publicidad|servicio|empresa)|esto|todo|ahi|aqui)|medica|laboral|por (?:enfermedad|maternidad|lesion)",
)
_ROBINSON = _Family(
    _EXPLICIT,
    r"(?:estoy|estamos|(?:numero|telefono|movil|linea) esta|figuro|figuramos|tengo|tenemos|me he|nos hemos)(?: \w+){0,4}"
    r" (?:en|a) (?:la )?(?:lista )?robinson",
    unless_before="no|nunca",
)
_NO_PERMISSION = _Family(
    _EXPLICIT,
    r"me opongo(?= (?:$|\.|,|a (?:que (?:me|nos) (?:llam|telef|contact)|recibir|mas |las |estas |ser |vuestras |sus |que llam)|al tratamiento))",
    r"(?:no|nunca) (?:les |le |os |te )?(?:autorizo|autorizamos|he autorizado|hemos autorizado"
    r"|(?:doy|damos|he dado|hemos dado) (?:mi |nuestr[oa] )?(?:permiso|autorizacion|consentimiento))"
    r" (?:a|para)(?: que)?(?: me| nos| estas| las)? (?:llam|telefon|contact)",
    r"no (?:tienen?|teneis|tienes) (?:mi |nuestro )?(?:permiso|autorizacion|consentimiento) (?:para|de)(?: que)?(?: me| nos| estas| las)? (?:llam|telefon|contact)",
    rf"no (?:tienen?|teneis|tienes) (?:por que|(?:ningun )?derecho (?:alguno )?a) {w.TO_CALL}",
    r"(?:prohibo|prohibimos|prohibido)(?: que)?(?: me| nos)? (?:llam|volver)",
    r"(?:retir|revoc|anul)(?:o|amos|ar) (?:mi|el|nuestro) (?:consentimiento|permiso)",
    r"derecho (?:de|a) oposicion|derecho a oponer(?:me|nos)",
    unless_after=rf"(?:(?:a|de|para|que|se|me|la|esta|una) )*(?:grab|transcri)\w*|{w.SOMEBODY_ELSE}",
)
_CATALAN_GALICIAN_BASQUE = _Family(
    _EXPLICIT,
    r"no (?:em |ens )?(?:truqu|torn)(?:eu|in|is|i)(?: a trucar)?(?: mai)?(?: mes)?",
    r"no vull (?:rebre )?(?:mes )?(?:que em truqu\w+|trucades)",
    r"deixeu de trucar",
    r"(?:doneu|doni)(?: me| m|ns) de baixa",
    r"esborr(?:eu|in|i) (?:les meves dades|el meu numero)",
    r"non (?:me |nos )?cham(?:edes|en|es|e)(?: mais)?",
    r"non quero (?:mais )?chamadas",
    r"non (?:me |nos )?volv(?:ades|an|as|a) (?:a )?chamar",
    r"ez (?:deitu|deitzeko|hots egin)(?: \w+)? (?:gehiago|berriro)",
    unless_after=r"(?:mes )?(?:tard|aviat)|ara|avui|dema|al|a la|fins|abans|agora|hoxe|antes|despois|pola",
)
_TOLD_BEFORE = _Family(
    _IMPLICIT,
    rf"(?:dicho|dije|decir|repito|repetido|repetir|pedido|pedi|avise|avisado)(?: (?!que)\w+){{0,4}} que no "
    rf"(?:quer\w+ que )?(?:(?:me|nos) )?{either(f'{w.AGAIN} {w.TO_CALL}', w.CALLED, w.CALL)}",
    r"(?:dicho|dije|decir)(?: (?!que)\w+){0,4} que no quer\w+ (?:mas )?llamadas",
    unless_after=rf"{w.TIME}|{w.PLACE}|{w.SOMEBODY_ELSE}|{w.FORM_OF_ADDRESS}",
)
_LEAVE_ME_ALONE = r"(?:dej(?:eis|en|es|e|ad|a|ar) ?(?:me|nos)|(?:me|nos) dej(?:eis|en|es|e|ais|as))(?: ya)? (?:en paz|tranquil[oa]s?)"
_A_MOMENT = rf"(?:un|una|dos|tres|cinco|diez) |{w.TIME}"
_IN_PEACE = _Family(
    _IMPLICIT,
    _LEAVE_ME_ALONE,
    r"(?:deixeu|deixi)(?: me| m|ns) en pau",
    r"deixad(?:e )?me en paz",
    unless_before=rf"no|para que|asi|{w.SOMEBODY_ELSE}",
    unless_after=rf"{_A_MOMENT}|{w.BUSY}|{w.SOMEBODY_ELSE}|con",
)
_THREAT = _Family(
    _IMPLICIT,
    rf"(?:como|si) (?:me |nos )?(?:{either('vuelv(?:an|en|as|es|a|e)', 'volvais', 'volveis')} a {w.TO_CALL}"
    r"|sig\w+ llamando|llam(?:ais|eis|an|en|as|es) (?:otra vez|mas))",
    rf"(?:no|ni) se (?:os|les|le|te) ocurra (?:volver a )?{w.TO_CALL}",
    r"(?:os|les|le|te|los) (?:(?:voy|vamos) a )?(?:denunci|bloque)(?:aremos|are|ar|o|amos)\b",
    r"(?:voy|vamos) a (?:denunci|bloque)ar(?:os|les|los|le|te)\b",
    r"(?:voy|vamos) a (?:denunciar(?= (?:$|\.|,|a (?:consumo|la agencia|esta empresa|su|vuestra)))|bloquear (?:el|este|su|vuestro) numero)",
    r"(?:poner|pongo|pondre|ponemos)(?:os|les|le)? (?:una|la) (?:denuncia|reclamacion)",
    r"olvid(?:ense|ese|aos|ate) de (?:mi|nosotr|este numero|llamar)",
    r"que (?:me|nos) olvid(?:eis|en|es)\b",
    unless_after=rf"{w.SOMEBODY_ELSE}|(?:a )?(?:una?|unos|unas|las?|los|el)",
)
_NOTHING_TO_DO_WITH_YOU = _Family(
    _IMPLICIT,
    r"no (?:quiero|queremos) (?:volver a )?(?:saber|oir hablar)(?: nada| mas)* (?:de|con) (?:vosotr[oa]s|ustedes|usted|ti|esta empresa|su empresa|vuestra)",
)
_MAYBE = _Family(
    _SOFT,
    w.CALL_ME_NOT,
    w.CALL_ME_NOT_AGAIN,
    unless_before=rf"{w.NOT_MEANT_FOR_US}|{w.LIMITED}",
    unless_after=rf"(?:, )?(?:(?:mas )?{w.TIME}|{w.SOMEBODY_ELSE}|{w.FORM_OF_ADDRESS}|{w.PLACE})",
)
_RATHER_NOT = _Family(
    _SOFT,
    r"(?:prefiero|preferiria|mejor)(?: que)? no(?= (?:$|\.|,|gracias))",
    r"(?:mejor|casi mejor) (?:lo dejamos|dejad?lo|dejelo|dejenlo|dejarlo)",
    r"\. (?:pues |venga |bueno |no )?(?:dejadlo|dejelo|dejenlo|dejalo)(?: estar)?(?= (?:$|\.|,|gracias))",
    r"hart[oa]s? de que (?:me|nos) llamen",
    r"esto es (?:un )?(?:acoso|spam)",
    r"no me gustan? (?:nada )?(?:que me llam\w+|(?:estas|las|vuestras) llamadas)",
    r"no (?:quiero|queremos) saber nada(?= (?:$|\.|,|mas))",
    _LEAVE_ME_ALONE,
    unless_before="no|ahora",
    unless_after=rf"{_A_MOMENT}|para",
)
_FAMILIES = (
    _UNTIL_ANSWERED, _TOLD_BEFORE, _NEVER_AGAIN, _NOT_ME, _POLITELY, _NO_CALLS_HERE, _STOP, _NO_MORE_CALLS, _OFF_THE_LIST, _SIGN_OFF,
    _ROBINSON, _NO_PERMISSION, _CATALAN_GALICIAN_BASQUE, _IN_PEACE, _THREAT, _NOTHING_TO_DO_WITH_YOU, _MAYBE, _RATHER_NOT,
)  # fmt: skip
_EVERYBODY = re.compile(
    r"(?:todas las|ninguna|otras?) (?:llamadas|empresas?|companias?)|de ningun tipo|a nadie|de nadie|robots?|maquinas?"
)


def match(text: str) -> OptOutMatch | None:
    """The objection in one utterance, None if there is none."""
    spoken = words_and_pauses(f". {text}")
    for family in _FAMILIES:
        if family.recognises(spoken):
            scope = OptOutScope.PLATFORM if _EVERYBODY.search(spoken) else OptOutScope.TENANT
            return OptOutMatch(family.kind, scope, text.strip())
    return None
