"""The vocabulary of objections, as fragments of patterns over `folding.words_and_pauses`.

Fragments begin and end with a word, never with a blank. Verbs are named by their forms, since these tell a wish from
an account: `no llamen` is said to us, `no llaman` of somebody else.
"""

from __future__ import annotations


def either(*options: str) -> str:
    """One of these."""
    return f"(?:{'|'.join(options)})"


TO_WHOM = either("me", "nos", "le", "les", "la", "las", "lo", "los")
CALL = r"(?:(?:ll|y)am|telefone|contact|marqu|molest|incordi|fastidi|agobi)(?:es|eis|en|e)\b"
TO_CALL = (
    r"(?:llamar|telefonear|contactar|marcar|molestar|incordiar|fastidiar|acosar|insistir|dar)"
    r"(?: ?(?:me|nos|le|la|les))?(?: la lata)?\b"
)
CALLING = r"(?:(?:llam|telefone|contact|marc|molest|incordi|fastidi)ando|insistiendo)(?:me|nos)?\b"
# The endings of both imperfect subjunctives, of verbs in -ar and of the others: `dejaran`, `dejasen`, `volvieran`, `volviesen`.
_AR_PAST = "(?:aran|arais|aras|ara|asen|aseis|ases|ase)"
_ER_PAST = "ie(?:ran|rais|ras|ra|sen|seis|ses|se)"
# `que no llamaran`, `que no volvieran a llamar`: what was, or would be, asked for.
CALLED = rf"(?:(?:llam|telefone|contact|molest){_AR_PAST}\b|volv{_ER_PAST} a {TO_CALL}|sigu{_ER_PAST} {CALLING})"
WOULD_LIKE = r"(?:(?:preferiri|gustari|agradeceri|querri|deseari|rogari|pediri)(?:amos|an|a)|quisier(?:amos|a)|(?:pedi|rogue)\b)"
STOPPED = rf"(?:dej|par){_AR_PAST}"
AGAIN = either("vuelv(?:a|as|an)", "volvais", "volvas") + r" (?:usted |ustedes )?a"
DO_NOT_WANT = (
    either("quiero", "queremos", "quiere", "quieren", "deseo", "deseamos", "hace falta", "es necesario",
           "necesito", "necesitamos")
    + " (?:ni )?que(?: nadie)?"
)  # fmt: skip
# `no me llamen`, `no quiero que me llamen`; in the second also `no llame`, `no hace falta que llamen`.
DO_NOT_CALL_ME = rf"(?:no|ni) (?:{DO_NOT_WANT} )?{TO_WHOM} {CALL}"
CALL_ME_NOT = rf"(?:no|ni) (?:{DO_NOT_WANT} )?(?:{TO_WHOM} )?{CALL}"
CALL_ME_NOT_AGAIN = (
    rf"(?:no|ni) (?:{DO_NOT_WANT} )?(?:{TO_WHOM} )?{AGAIN} {TO_CALL}(?: conmigo| con nosotr[oa]s)?"
)
KEEP_CALLING = rf"{either('sigan?', 'sigas', 'sigais', 'continuen?', 'continueis')} {CALLING}"
GET_IN_TOUCH = (
    rf"se (?:pongan?|{AGAIN} poner)(?: usted| ustedes| mas| otra vez| nunca)* en contacto"
    r"(?: conmigo| con nosotr[oa]s|(?! con\b))"
)
FOR_EVER = either(
    "mas", "nunca", "jamas", "otra vez", "de nuevo", "en la vida", "en su vida", "en vuestra vida"
)

_DAY = either(
    "lunes", "martes", "miercoles", "jueves", "viernes", "sabados?", "domingos?", "festivos?"
)
# A moment in which a call is unwelcome: another one may be welcome.
TIME = either(
    "ahora", "hoy", "luego", "manana", "tarde", "temprano", "pronto", "antes", "despues", "mientras", "cuando", "durante",
    "mas tarde", "mas temprano", "mas pronto", "mas adelante", "mas (?:de|que) (?:a|una|dos|tres|por|los|el)",
    "tan (?:tarde|temprano|pronto|seguido|a menudo)", "tanto", "otra vez (?:hoy|ahora|manana)",
    "a (?:est|es)[ao]s? horas?", "a las? (?:hora|una|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|once|doce|tantas|[0-9])",
    "a (?:primera|ultima|media|mediodia|partir)", "la semana", "el mes",
    "al mediodia", "por las? (?:manana|tarde|noche|mediodia)s?", "de (?:noche|madrugada|dia)", "entre",
    "hasta (?!luego|nunca|siempre|otra)",
    "en (?:horas?|horario|fin|fines|finde|enero|agosto|julio|septiembre|diciembre|navidad(?:es)?|vacaciones|verano|hora|plena|este|un|media|toda)",
    f"(?:en |los |el |este )?{_DAY}", "(?:los |el |este )fin(?:es|de)?", "est[ea] (?:mes|momento|rato|semana|tarde|manana|noche|hora)",
)  # fmt: skip
_SOMEBODY = r"(?:client|gente|senora|proveedor|vecin|famili|marido|mujer|hij|madre|padre|alumn|emplead|companer|representant)\w*"
SOMEBODY_ELSE = (
    rf"(?:a )?(?:las?|los|el|mis?|una?|unos|unas|sus?) {_SOMEBODY}|(?:a )?(?:client|proveedor)\w*"
)
PLACE = either(
    "al (?:fijo|movil|otro|trabajo|salon|local|personal)",
    "(?:a|en) casa",
    "a la (?:tienda|peluqueria|oficina|casa)",
    "a mi casa",
)
# The same limits said first: `por las tardes no me llame`, but not `a partir de ahora no me llame`.
LIMITED = rf"(?<!de )(?<!desde )(?!a partir de (?:ahora|hoy))(?:{TIME}(?: de \w+)?|(?:mientras|cuando)(?: \w+){{1,4}}|{PLACE})(?! ,)"
FORM_OF_ADDRESS = either(
    "de (?:usted|tu|vos)", "don", "dona", "senora", "senorita", "senor", "caballero", "guapa", "guapo", "hija", "carino",
    "cielo", "reina", "nina", "por mi nombre", "asi",
)  # fmt: skip
BUSY = r"(?:que )?(?:estoy (?:con|en|trabaj\w*|atend\w*|ocupad\w*|cortand\w*|peinand\w*|comiend\w*)|tengo (?:una|gente|a una|lio|el salon)|ando)"
# What ends a wish without limiting it: a pause, a plea, a reason, the next sentence.
NOTHING_MORE = (
    r"(?= (?:$|\. |, (?!"
    + TIME
    + "|"
    + PLACE
    + "|"
    + BUSY
    + r")|por favor|porfa|gracias|muchas gracias|nadie|usted|tu\b|eh\b|ya(?= (?:$|\.|,|mas))|oiga"
    r"|vale\b|hombre|a (?:este|mi|ese) (?:numero|telefono)|a mi(?= (?:$|\.|,))|conmigo|por ningun|aqui\b|para (?:nada|esto|eso|estas|vender|ofrecer|publicidad)|porque"
    r"|que (?:no|ya)\b|y\b|ni\b|pero|se lo|le (?:ruego|pido|digo)|hag\w+ el favor|adios|no\b|leches|cono\b|joder"
    r"|(?:con |mas |una? |ningun |ninguna )*(?:robots?|maquinas?)))"
)
# Words before a wish that make it an account or a condition.
NOT_MEANT_FOR_US = (
    r"(?:para que|aunque|mientras|cuando|hasta que|como|puede que|espero que|ojala|quizas?|tal vez"
    r"|(?:me|nos) (?:dice|dicen|dijo|dijeron|ha dicho|han dicho|pide|piden|pidio) que)"
)

TAKE_OFF = r"(?:quit(?:eis|es|en|e|ad|ar|a)|borr(?:eis|es|en|e|ad|ar|a)|elimin(?:eis|es|en|e|ad|ar|a)|tach(?:eis|en|e|ad|ar|a)|suprim(?:ais|an|a|id|ir|e)|sa(?:queis|quen|que|cad|car|ca)|retir(?:eis|en|e|ad|ar|a))"
# `me borran de ahí`: asked for in the indicative, which without `me` is an account.
ARE_TAKING_OFF = (
    rf"(?:{TAKE_OFF}|(?:quit|borr|elimin|tach|sac|retir)(?:ais|an|as)|suprim(?:is|en|es))"
)
LIST = r"(?:(?:de (?:la|su|tu|vuestra|esa|esta|sus|vuestras|las) )(?:lista|listado|base|agenda|registro|contacto|llamada)\w*|(?:de|del) (?:su |sus |vuestro |vuestros |ese )?(?:fichero|listado|registro|sistema|contacto)s?|de ahi)"
OWN_DATA = r"(?:(?:todos )?(?:mi|mis|nuestr[oa]s?|este|ese) (?:numero|telefono|movil|fijo|datos|contacto|nombre|ficha))"
