"""What salon owners talk about, by the words that give it away. Folded text, tolerant of misheard endings."""

from __future__ import annotations

import re

from local.realtime.mind.spoken_numbers import NUMBER, value

BOOKING_TOOLS = {
    "paper": r"papel|libreta|cuaderno|agenda de toda|boligrafo",
    "whatsapp": r"[bwgvh]+u?h?[ao][dt]?[sz]+ ?[aeo]+[pb]|whatsapp|wasap",
    "phone": r"por telefono|al telefono|y (el )?telefono|con el telefono|llamando|telefono,|excel y el telefono",
    "excel": r"exce(l|n)",
    "google_calendar": r"google",
    "treatwell": r"\btr(ea|ia|e|i)[td]\w*|tri?eadw|twell",
    "booksy": r"boo?[kc]k?s[iy]|buk?si|buxi",
    "fresha": r"fresh?a\b",
    "other_software": r"otro programa|un programa|un software",
    "none": r"no uso nada|no tengo nada",
}
PAIN_POINTS = {
    "no_shows": r"no vien(e|en)|planton|no avis|fallaron|me fallan|no se presenta|no aparece",
    "calls_while_working": r"llamadas mientras|cogiendo el telefono|no puedo coger|(telefono|llamadas)\b.*me vuelven? loc|suena el telefono",
    "empty_slots": r"huecos",
    "commissions": r"comision|me cobra(n)? por todo|cobra por todo",
    "double_booking": r"doble|dos a la misma",
    "invoicing": r"factura",
    "staff": r"personal|empleadas que",
}
OBJECTIONS = {
    "no_time": r"no tengo tiempo|no puedo|estoy con (una|un|el|la)|ocupad",
    "not_interested": r"no me interesa|no necesito",
    "has_tool": r"ya tengo|ya uso|ya tenemos|me va bien",
    "price": r"\bcar(o|a|os|as|isimo)\b|descuento|barat|me cobran? por todo",
    "prefers_human": r"(robot|maquina)s? no me|(no me gusta|odio|paso de) .*(robot|maquina)|hablar con (robots|maquinas)",
    "distrust": r"no me fio|de verdad lo hacen|como se yo",
    "partner": r"mi socio|mi socia|mi marido|mi mujer",
    "clients_offline": r"clientas son mayores|son mayores",
    "later": r"otro dia|mas adelante|despues de (navidad|reyes)|llameme luego",
}
CLOSING_DAYS = {
    "monday": r"lunes\w{0,2} (no|cierr|mas de|de [ct]ierr|estamos cerrad)|cierr\w+ (los|el) lunes|el lunes no",
    "tuesday": r"cierr\w+ (los|el) martes",
    "wednesday": r"cierr\w+ (los|el) miercoles",
}
_PEOPLE = r"(?:personas|emplead[oa]s|trabajador\w*|peluquer[oa]s|chicas|chicos|estilistas|oficial\w*|sillones)"
_STAFF = (
    re.compile(rf"\b(?:equipo|plantilla) de (?:unas? |unos )?({NUMBER})\b"),
    re.compile(
        rf"\b(?:somos|trabajamos|estamos)(?: (?:solo|aqui|como|unas?|unos|ahora)){{0,2}} ({NUMBER})\b"
        r"(?! (?:salon|local|centro|semana|dia|hora))"
    ),
    re.compile(rf"\b({NUMBER}) {_PEOPLE}\b"),
)
_ALONE = re.compile(
    r"(trabajo|estoy|soy) (yo )?sol[oa]\b(?! en casa)|\bsolo (estoy )?yo$|\byo sol[oa]( y|,|$)"
)
OWNER = r"la duena|el dueno|soy (yo )?(la|el) (duen|propietari)|es mia|es mio|lo decido yo|decido yo|soy yo,? la duen"


def found(table: dict[str, str], folded: str) -> list[str]:
    """Names of what is spoken of, in the table's order."""
    return [name for name, pattern in table.items() if re.search(pattern, folded)]


def staff_count(folded: str) -> int | None:
    """How many work there, by what was said."""
    for pattern in _STAFF:
        match = pattern.search(folded)
        if match is not None:
            return value(match.group(1))
    return 1 if _ALONE.search(folded) else None
