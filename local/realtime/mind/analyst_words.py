"""What the scripted analyst goes by, beyond the words that Sofia's mind knows: stems in folded text, wide enough for
misheard endings."""

from __future__ import annotations

from local.realtime.mind import keywords


def _wider(table: dict[str, str], more: dict[str, str]) -> dict[str, str]:
    names = [*table, *(name for name in more if name not in table)]
    return {name: "|".join(t[name] for t in (table, more) if name in t) for name in names}


_PHONE = r"(citas?|agenda|apunt\w+|reserv\w+|llaman|llamando|vamos|lleva\w*|todo|excel|whatsapp|papel)\b.*\btelefono|^por telefono"
BOOKING_TOOLS = {
    **_wider(
        keywords.BOOKING_TOOLS,
        {
            "paper": r"agenda de (papel|siempre)|a mano|en una agenda",
            "excel": r"hoja de calculo",
            "google_calendar": r"calendario de google|calendar",
            "other_software": r"una aplicacion|una app|un sistema de citas|programa de (citas|gestion)",
            "none": r"no (uso|usamos|llevo|tengo) (nada|ningun)",
        },
    ),
    "phone": _PHONE,
}
# Sentences that name a tool without saying that it keeps the appointments.
NOT_A_BOOKING_TOOL = (
    r"\b(mand|envi|pas[ae]me|escrib|borr|quit|elimin)\w*|(de|eres de|sois de) (treatwell|booksy|fresha|google)\s*$"
    r"|\bno (uso|usamos|tengo|tenemos|queremos|quiero|trabajo|trabajamos)\b(?! (nada|ningun))|mi telefono|este telefono"
)
PAIN_POINTS = _wider(
    keywords.PAIN_POINTS,
    {
        "no_shows": r"(me|nos) (dejan|dejaron) plantad|no (acuden|se presentan|aparecen|vienen)|(me|nos) fall(an|o|aron)",
        "calls_while_working": r"(no doy abasto|no paro) .*(telefono|llamadas)|(dejar|parar) .*para (coger|contestar)"
        r"|con las manos .*(telefono|llam)|se me (pasan|pierden) (las )?llamadas",
        "empty_slots": r"(horas|ratos) (muert|vaci|libres)|sillon(es)? vaci|tardes vacias",
        "commissions": r"(se (queda|lleva)n?|cobran?) (un|el|mucho|demasiad)\w*.*(por ciento|reserva|cliente)",
        "double_booking": r"(se me|se nos) (juntan|solapan|pisan)|apunt\w+ dos veces|a la misma hora",
        "invoicing": r"verifactu|hacienda|los tickets",
        "staff": r"(me falta|no encuentro|falta de) (gente|personal|manos)|los turnos",
    },
)
OBJECTIONS = _wider(
    keywords.OBJECTIONS,
    {
        "no_time": r"(me pillas?|estoy) (ocupad|liad|a tope|con un)|no (es|me viene) buen momento",
        "not_interested": r"no nos interesa|no lo necesit|no quiero nada",
        "has_tool": r"(ya )?estoy (muy )?(content|a gusto) con|ya trabaj\w+ con",
        "price": r"mucho dinero|no (me )?lo puedo permitir|se (me )?(va|sale) de precio|no .*(pagar|gastar) (tanto|mas|eso)",
        "prefers_human": r"prefiero (que .*\b(llame|hable)\w*|hablar con) (una|otra) persona|no hablo con (maquinas|robots)",
        "distrust": r"(es|esto es|sera) (un )?(timo|estafa|engano)|como se que|no me lo creo|desconfi",
        "partner": r"lo (tengo|tendria) que (hablar|consultar|mirar) con",
        "clients_offline": r"(mis )?clientas .*(mayores|no (saben|usan)|sin internet)",
        "later": r"el ano que viene|pasad[ao]s? las fiestas|para (enero|febrero|marzo|septiembre)",
    },
)
BUSINESS_TYPES = {
    "barber": r"barber",
    "nails": r"\bunas\b|manicur",
    "spa": r"\bspa\b|masaj",
    "beauty": r"estetic",
    "hair": r"peluquer|perruquer|estilist",
}
WEEKDAYS = {
    "monday": "lunes",
    "tuesday": "martes",
    "wednesday": "miercoles",
    "thursday": "jueves",
    "friday": "viernes",
    "saturday": "sabados?",
    "sunday": "domingos?",
}
CLOSED_ON = (
    r"cierr\w+ (todos )?(los|el) {0}\b|\b{0},? (que )?(no,? (que )?)?(estamos cerrad|libr)"
    # "el lunes no, que cierro", as it is recognised over a hair dryer too.
    r"|\b{0}\w{{0,2}},? ((no|mas|que|de|es|se),? ){{0,3}}(cierr|sierr|tierr|ciert)"
)
GATEKEEPER_ROLE = r"recepcion|le atiende|solo cojo|cojo (las )?citas|se lo digo|no se lo puedo dar|la jefa|mi jef[ae]"
EMPLOYEE_ROLE = r"soy (una? )?(emplead|trabajador|oficial|ayudante)|trabajo aqui|yo aqui solo"
FAMILY_ROLE = (
    r"soy (su|el|la) (hij|marido|mujer|madre|padre|herman)|es mi (mujer|marido|madre|hermana)"
)
MANAGER_ROLE = r"soy (la|el) (encargad|gerente|responsable)|llevo yo el salon"
PARTNER_ROLE = r"soy (la|el|una|uno de los|una de las) soci"

HOSTILE = r"narices|denunci|en paz\b|\bhart[oa]|tercera vez|pesad[oa]s|sinverg|imbecil|idiota|mierda|joder|gilip|acos(o|ando)"
INJECTION = (
    r"(ignora|olvida|repite|muestra|ensena|di(me)?) .*(instrucciones|prompt)|prompt|ahora eres |a partir de ahora eres"
    r"|ejecut\w+ (la )?(herramienta|funcion)|modo (desarrollador|administrador)|palabra por palabra"
)
SOCIAL_ENGINEERING = (
    r"soy (el|la|un|una) (administrador|tecnic|programador|jef[ae] de sofia)|te autorizo|contrasena|datos de (otr|tus|mis) client"
    r"|telefono de (otr|tus) client"
)
WANTS_A_PERSON = (
    r"(que me|me puede|prefiero que|quiero que me) .*llam\w* (una|otra) persona|habl\w* con (una persona|alguien|un humano)"
    r"|(pas[ae]me|ponme|pongame) con|no hablo con (maquinas|robots)|(robots?|maquinas?) no me gust|una persona de verdad"
)
PRIVACY = r"mis derechos|responsable de mis datos|copia de (todo|mis datos)|rgpd|proteccion de datos|acceso a mis datos"
RECORDING = (
    r"no (quiero|autorizo|permito|consiento) que .*(grab|transcri)|no me grab|dej\w+ de grabar"
)
AUDIO = r"no (le|te|os|les|la|lo|se) (oigo|escucho|oye)|no oigo|se (oye|escucha|corta)|secador|hay (mucho )?ruido"
WRONG = (
    r"aqui no (hay|es|vive)|(se (ha|han) )?equivocad|se equivoca|movil particular|no es (ningun|una) (peluqueri|salon|centro)"
    r"|no conozco a|este numero lo tengo yo|no tengo ningun(a)? (peluqueri|salon|negocio)"
)
MINOR = (
    r"mi (mama|papa) (no|esta|ha)|no estan mis padres|soy (un nino|una nina)|estoy sol[oa] en casa"
    r"|tengo (cinco|seis|siete|ocho|nueve|diez|once|doce|trece|catorce|\b[5-9]|1[0-4]) anos"
)
CLOSED = (
    r"cerr(e|amos|ado|o) (el|la|mi|nuestr\w+|ya el) (negocio|peluqueria|salon|centro|barberia)|para siempre|cerramos en \d{4}"
    r"|me (he )?jubil|traspas|ya no (existe|trabajo|tenemos)|(he|hemos) cerrado|vend(i|imos) el"
)
EXISTING = r"ya (soy|somos) client|ya (lo|la|os) (tengo|tenemos) (contratad|con vosotros)|ya trabajo con vosotros"
NOT_INTERESTED = r"no (me|nos) interesa|no (lo )?necesit|que no,? gracias|no quiero nada|no,? gracias|paso\b|dejelo"
GATEKEEPER = (
    r"\w+no esta (ahora|aqui)|\bha salido\b|no (esta|se encuentra|viene)( ella| el)?( ahora| hoy| aqui|$|,)|la duena no|no decido|cojo (solo )?(las )?citas"
    r"|(eso|esas cosas|lo|las) lleva(n)? (ella|el|la jefa|mi jef)|se lo digo|yo solo (cojo|atiendo)|ella (no|de eso)|pregunt\w+ a (la|mi) (jefa|duena)"
)
OWNER = keywords.OWNER + (
    r"|soy (la|el) (duen|propietari|jef)|el negocio es mi|(la|el) (peluqueria|salon|centro|barberia) es mi|decid(o|imos) (yo|nosotr)"
    r"|lo llevo yo todo|yo soy (la|el) (duen|jef)"
)
BEST_TIME = r"a partir de las|suele (venir|estar)|sobre las|por las (mananas|tardes)|a ultima hora|a primera hora"
CONSENT = r"permiso|correcto|si, si|a (este|ese) (numero|movil|correo)|(lo )?puede(s)? (enviar|mandar|escribir)|de acuerdo|claro que si|^si\b"
EAGER = r"cuanto antes|me encanta|me interesa mucho|lo quiero|empezamos|hoy mismo lo"
PLEASED = r"\b(encantad|estupend|perfecto|genial|muchas gracias|maja|majo|me interesa|buena idea)"
LANGUAGES = {
    "ca": r"\b(catala|parlar|doncs|perdoni|digui|adeu|bon dia|si us plau|gracies|vosaltres|amb|aixo|perruqueria)\b",
    "gl": r"\b(bos dias|grazas|falar|vostede|perruqueria e|moito|unha)\b",
    "eu": r"\b(egun on|kaixo|eskerrik|bai|euskaraz|agur)\b",
    "en": r"\b(hello|english|speak|sorry|please|thank|goodbye|don't|understand)\b",
}
