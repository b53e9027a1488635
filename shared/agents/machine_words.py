"""Recognises a machine by its own formulas: mailboxes, network announcements, menus, screeners.

People say the same words ("no puede atenderle", "deje su mensaje conmigo"); a machine says them as a formula: to
nobody in particular, of "the number dialled", with a tone or a key to follow.
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
    r"(?:al que|a la que|con (?:el|la|quien) que|con quien|que) (?:usted )?(?:llama|llamas|ha llamado|has llamado"
    r"|esta llamando|estas llamando|ha marcado|has marcado|intenta \w+|desea \w+|trata de \w+)|(?:numero|telefono) (?:marcado|solicitado))"
)
_OPERATOR = (
    r"(?:movistar|telefonica|vodafone|orange|yoigo|masmovil|jazztel|digi|pepephone|simyo|euskaltel)"
)
_DIGIT = r"(?:cero|uno|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|\d)"
_MESSAGE = r"(?:un |su |tu |el |vuestro )?mensaje"

_FORMULAS: tuple[tuple[MachineKind, tuple[str, ...]], ...] = (
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
            r"asistente (?:\w+ )?de llamadas",
            r"asistente (?:digital|virtual|telefonico|personal|de google|de voz) de",
            r"(?:servicio|sistema) de filtrado|filtro de llamadas|filtra(?:ndo)? (?:sus|las|tus) llamadas (?:con|por|de)",
            r"(?:diga|di|si dices?|si deletreas?|grabe|grabas?|indique|indica) (?:su|tu) nombre y (?:el motivo|la razon|por que)",
            r"ver(?:e|emos) si (?:esta|la) persona (?:esta|se encuentra) disponible",
            r"copia de esta conversacion",
        ),
    ),
    (
        MachineKind.VOICEMAIL,
        (
            r"(?:despues de(?: oir| escuchar)?|al oir|tras(?: oir)?|cuando oiga|cuando suene) (?:la senal|el tono|el pitido|un pitido)",
            r"^ (?:buzon de voz|contestador)",
            r"(?:ha llamado al|has llamado al|bienvenido al|este es el|le atiende el|le habla el|servicio de|es el|acceso al) (?:servicio de )?(?:buzon|contestador)",
            r"buzon (?:de voz )?(?:esta lleno|no (?:esta|admite)|del numero|del telefono|del usuario)",
            rf"(?:ha|has) llamado al (?:numero |telefono )?{_DIGIT}",
            r"no hemos recibido ningun mensaje|mensaje (?:guardado|grabado|enviado)",
            rf"si lo deseas? (?:puedes? )?(?:dejar|deje|deja|grabar|grabe) {_MESSAGE}",
            rf"(?:deje|deja|dejanos|dejenos|dejame|grabe|graba) {_MESSAGE} (?:y (?:te|le|os|nos|en cuanto|lo antes)|con (?:su|tu) nombre|en (?:el|nuestro|este) (?:contestador|buzon)|de voz|ahora)",
            rf"no (?:puedo|podemos) (?:atender|responder|contestar)\w* .{{0,60}}(?:deje|deja|dejanos|dejenos|dejame|grabe|graba) {_MESSAGE}",
            r"no podemos atender\w* .{0,60}nuestro horario",
            r"para (?:grabarlo|borrarlo|escucharlo|enviarlo|repetirlo|volver a grabar).{0,30} pulse",
        ),
    ),
    (
        MachineKind.UNAVAILABLE,
        (
            r"apagad[oa] o fuera",
            _DIALLED,
            rf"{_OPERATOR} (?:le|te) informa",
            r"(?:el|la) (?:cliente|usuario|abonado|destinatario) no (?:puede|esta|se encuentra|admite)",
            r"restringidas las llamadas|no admite llamadas",
            r"(?:por congestion|saturacion) (?:de|en) la(?:s)? (?:red|lineas)|lineas estan (?:ocupadas|saturadas)",
        ),
    ),
    (
        MachineKind.IVR,
        (
            rf"(?:pulse|marque|oprima|presione|pulsa|marca) (?:el |la tecla |la opcion )?(?:{_DIGIT}|asterisco|almohadilla)\b",
            rf"(?:para|si) .{{3,60}} (?:diga|di) {_DIGIT}\b",
            r"(?:agentes|operadores|asesores|gestores|companeros) (?:estan|se encuentran) ocupados",
            r"(?:permanezca|mantengase) a la espera",
            r"(?:permanezca|mantengase) en (?:linea|espera)",
            r"su llamada es (?:muy )?importante",
            r"llamada (?:puede|podra|sera|esta siendo|va a ser) (?:ser )?grabada",
            r"(?:diga|indique|di) (?:brevemente |en pocas palabras )(?:el motivo|en que|que)",
            r"si conoce (?:la|el numero de) extension",
        ),
    ),
)
_PATTERNS = tuple((kind, re.compile("|".join(formulas))) for kind, formulas in _FORMULAS)


def match(text: str) -> MachineKind | None:
    """The machine that speaks like this, None for what a person may have said."""
    spoken = words(text).replace(".", "")
    return next((kind for kind, pattern in _PATTERNS if pattern.search(spoken)), None)


_WAIT = re.compile(
    r"(?:espere|espera|no cuelgue|no cuelgues|un momento|un segundo|localiz\w+|comprob\w+|un instante|le paso|te paso)"
)


def asks_to_wait(text: str) -> bool:
    """Whether a screener may be looking for its owner. People say the same, and then come to the phone as well."""
    return _WAIT.search(words(text)) is not None
