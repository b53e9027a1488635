"""Machines on the line, as the scripted analyst tells them from people: a few signs of its own."""

from __future__ import annotations

import re

_MAILBOX = (
    r"buzon de voz|contestador automatic|apagado o fuera|despues de (?:oir )?(?:la senal|el tono)|tras la senal"
    r"|(?:telefono|numero|movil) al que llama|dej\w+ (?:su|un|tu) mensaje (?:despues|tras|y|con|de)|ningun mensaje"
    r"|(?:numero|telefono) marcado|al oir la senal"
)
_MENU = (
    r"(?:pulse|marque) (?:el |la tecla )?(?:\d|uno|dos|tres|cuatro|cero|asterisco|almohadilla)"
    r"|agentes estan ocupados|su llamada es importante|permanezca a la espera|indique brevemente"
)


def machine_in(everything: str) -> str | None:
    """`voicemail` or `ivr`, None for what a person may have said. A mailbox has a menu too."""
    if re.search(_MAILBOX, everything):
        return "voicemail"
    return "ivr" if re.search(_MENU, everything) else None
