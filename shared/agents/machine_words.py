"""Recognises a machine by what it says: mailboxes, network announcements, menus, screeners."""

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


_PATTERNS = (
    (
        MachineKind.UNKNOWN_NUMBER,
        r"numero (marcado|al que llama) no (existe|corresponde)",
    ),
    (
        MachineKind.VOICEMAIL,
        r"buzon de voz|contestador|despues de (la senal|oir la senal|el tono)|(dej\w+|grab\w+) (un|su|tu|el) mensaje"
        r"|ha llamado al? |no hemos recibido ningun mensaje",
    ),
    (
        MachineKind.UNAVAILABLE,
        r"apagado o fuera|fuera de cobertura|no (puede|podemos) atender(le|te)?|no se encuentra disponible"
        r"|telefono al que llama",
    ),
    (
        MachineKind.SCREENER,
        r"asistente de llamadas|filtr\w+ (las |esta )?llamadas?|dig\w+ su nombre y (el )?motivo",
    ),
    (
        MachineKind.IVR,
        r"(pulse|marque) (el )?(uno|dos|tres|cero|asterisco|almohadilla|\d)",
    ),
)


def match(text: str) -> MachineKind | None:
    """The machine that speaks like this, None for what a person may have said."""
    spoken = words(text)
    for kind, pattern in _PATTERNS:
        if re.search(pattern, spoken):
            return kind
    return None
