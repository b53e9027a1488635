"""Recognises a machine by its own formulas: mailboxes, network announcements, menus, screeners.

People say the same words ("no puede atenderle", "deje su mensaje conmigo"); a machine says them as a formula: to
nobody in particular, of "the number dialled", with a tone or a key to follow. Formulas that people say too are weak:
two different ones are needed, and none that is asked or said of oneself counts.
"""

from __future__ import annotations

import re
from enum import StrEnum

from shared.agents.folding import words


class MachineKind(StrEnum):
    VOICEMAIL = "voicemail"
    UNAVAILABLE = "unavailable"
    IVR = "ivr"
    SCREENER = "screener"
    UNKNOWN_NUMBER = "unknown_number"


_DIALLED = (
    r"(?:(?:numero|telefono|movil|terminal|cliente|usuario|abonado|persona|linea) "
    r"(?:(?:al que|a la que|con (?:el|la|quien) que|con quien) (?:usted )?(?:llamas?|esta(?:s)? llamando|intenta \w+"
    r"|desea \w+|trata de \w+|(?:ha|has) (?:llamado|marcado))|que (?:usted )?(?:ha|has) marcado)"
    r"|(?:numero|telefono) (?:marcado|solicitado))"
)
_OPERATOR = (
    r"(?:movistar|telefonica|vodafone|orange|yoigo|masmovil|jazztel|digi|pepephone|simyo|euskaltel)"
)
_DIGIT = r"(?:cero|uno|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|\d+)\b"
_KEY = rf"(?:{_DIGIT}|asterisco|almohadilla)"
_MESSAGE = r"(?:un |su |tu |el |vuestro )?mensaje"
_LEAVE = r"(?:dejar|deje|deja|dejanos|dejenos|dejame|grabar|grabe|graba)"
_AVAILABLE = r"(?:disponible|accesible|operativ[oa])"

_STRONG: tuple[tuple[MachineKind, tuple[str, ...]], ...] = (
    (
        MachineKind.UNKNOWN_NUMBER,
        (
            rf"{_DIALLED} (?:actualmente )?no (?:existe|corresponde|esta asignado|esta en servicio|es correcto|se encuentra (?:operativo|en servicio))",
            r"no existe ninguna linea (?:en servicio )?con est[ae]",
            r"(?:compruebe|verifique) el numero marcado",
        ),
    ),
    (
        MachineKind.SCREENER,
        (
            r"soy (?:el|la|un|una) asistente (?:digital|virtual|telefonic[oa]|de google|de voz)",
            r"persona (?:a la que llamas? )?(?:esta )?(?:usa|utiliza)(?:ndo)? (?:un|el) (?:asistente|filtro|servicio de filtrado|sistema de filtrado)",
            r"(?:diga|di|si dices?|si deletreas?|grabe|grabas?|indique|indica) (?:su|tu) nombre y (?:el motivo|la razon|por que)",
            r"ver(?:e|emos) si (?:esta|la) persona (?:esta|se encuentra) disponible",
        ),
    ),
    (
        MachineKind.VOICEMAIL,
        (
            r"^ (?:buzon de voz|contestador(?: automatico)?)(?: del? | $)",
            r"(?:(?:ha|has) llamado al|bienvenido (?:al|a (?:su|tu))|este es el|le atiende el|le habla el|utilizar el) (?:servicio de )?(?:buzon|contestador)",
            r"^ (?:el |este |su )?buzon (?:de voz )?(?:esta lleno|no admite)|buzon (?:de voz )?del (?:numero|telefono|usuario)",
            rf"(?:ha|has|hay) llamado al (?:numero |telefono )?{_DIGIT}",
            r"no hemos recibido ningun mensaje $",
            r"(?:^|su|tu) mensaje (?:ha sido |se ha )?(?:guardado|grabado|enviado)",
            rf"{_LEAVE} {_MESSAGE} ahora",
            r"para (?:grabarlo|borrarlo|escucharlo|enviarlo|repetirlo|volver a grabar).{0,30} pulse",
        ),
    ),
    (
        MachineKind.UNAVAILABLE,
        (
            rf"{_DIALLED} (?:no (?:puede|esta|se encuentra|admite)|(?:esta|se encuentra) apagad|tiene restringid)",
            rf"(?:cliente|usuario|abonado|destinatario) no (?:puede atender|(?:esta|se encuentra) {_AVAILABLE}|admite llamadas)",
        ),
    ),
    (
        MachineKind.IVR,
        (
            rf"(?:pulse|oprima|presione|pulsa) (?:el |la tecla |la opcion )?{_KEY}",
            rf"(?:marque|marca) (?:la tecla|la opcion) {_KEY}|(?:para|si) .{{3,60}} (?:marque|marca) (?:el )?{_KEY}",
            rf"para (?:hablar|contactar|consult\w+|reserv\w+|pedir|informacion|otr[ao]s?|cualquier) .{{0,60}}(?:diga|di) {_DIGIT}",
            r"su llamada es (?:muy )?importante para nosotros",
            r"si conoce (?:la|el numero de) extension",
        ),
    ),
)
_WEAK: tuple[tuple[MachineKind, tuple[str, ...]], ...] = (
    (
        MachineKind.SCREENER,
        (
            r"asistente (?:\w+ )?de llamadas",
            r"(?:servicio|sistema) de filtrado|filtro de llamadas|filtra(?:ndo)? (?:sus|tus) llamadas",
            r"copia de esta conversacion",
        ),
    ),
    (
        MachineKind.VOICEMAIL,
        (
            r"(?:despues de(?: oir| escuchar)?|al oir|tras(?: oir)?|cuando oiga|cuando suene) (?:la senal|el tono|el pitido|un pitido)",
            rf"{_LEAVE} {_MESSAGE}(?! (?:conmigo|por|al (?:movil|fijo|whatsapp))\b)",
            r"no (?:puedo|podemos) (?:atender|responder|contestar)",
            r"(?:te|le|os) (?:llamo|llamare|llamaremos|devolver\w+)\b|lo antes posible|nos pondremos en contacto|con (?:su|tu) nombre",
            r"nuestro horario (?:de \w+ )?es",
        ),
    ),
    (
        MachineKind.UNAVAILABLE,
        (
            _DIALLED,
            r"(?:esta|se encuentra) apagad[oa]|apagad[oa] (?:o )?fuera",
            r"fuera de cobertura",
            rf"{_OPERATOR} (?:le|te) informa",
            rf"no puede atender(?:le|te| la llamada| su llamada)|no (?:esta|se encuentra) {_AVAILABLE}",
            r"restringidas las llamadas|no admite llamadas",
            r"(?:congestion|saturacion) (?:de|en) las? (?:red|lineas)|lineas estan (?:ocupadas|saturadas)",
            r"no podemos cursar su llamada",
        ),
    ),
    (
        MachineKind.IVR,
        (
            r"(?:agentes|operadores|asesores|gestores|companeros) (?:estan|se encuentran) ocupados",
            r"(?:permanezca|mantengase) (?:a la|en) (?:espera|linea)",
            r"llamada (?:puede|podra|sera|esta siendo|va a ser) (?:ser )?grabada",
            r"(?:por|para) (?:motivos|razones|mejorar|garantizar|fines|control)\b.{0,20} (?:calidad|seguridad)",
            r"(?:diga|indique|di) (?:brevemente|en pocas palabras)",
            r"motivo de (?:su|la) llamada",
            r"le informamos",
        ),
    ),
)
_ENOUGH_WEAK = 2
_STRONG_PATTERNS = tuple((kind, re.compile("|".join(formulas))) for kind, formulas in _STRONG)
_WEAK_PATTERNS = tuple((kind, re.compile(weak)) for kind, formulas in _WEAK for weak in formulas)
_QUESTION = re.compile(r"¿[^?]*\?|[^.!?¿]*\?")
# Said of oneself, or to the caller: recognisers leave question marks off.
_TALK = re.compile(
    r" (?:yo|conmigo|a mi|mis? (?:llamadas?|companer[oa]s?|movil|telefono)|tengo|tenia|tenemos|ella|digame|dime|oiga|oye"
    r"|ustedes|vosotros|entonces|hay que|se lo (?:digo|doy)) "
)


def match(text: str) -> MachineKind | None:
    """The machine that speaks like this, None for what a person may have said."""
    spoken = words(_QUESTION.sub(" ", text)).replace(".", "")
    for kind, pattern in _STRONG_PATTERNS:
        if pattern.search(spoken):
            return kind
    weak = [kind for kind, pattern in _WEAK_PATTERNS if pattern.search(spoken)]
    return weak[0] if len(weak) >= _ENOUGH_WEAK and not _TALK.search(spoken) else None


_WAIT = re.compile(
    r"(?:espere|espera|no cuelgue|no cuelgues|un momento|un segundo|localiz\w+|comprob\w+|un instante|le paso|te paso)"
)


def asks_to_wait(text: str) -> bool:
    """Whether a screener may be looking for its owner. People say the same, and then come to the phone as well."""
    return _WAIT.search(words(text)) is not None
