"""What the law and decency ask for: objections, privacy, honesty about being a machine, no obeying strangers."""

from __future__ import annotations

from local.realtime.mind import answers
from local.realtime.mind.no_more_calls import objection_in
from local.realtime.mind.port import Call, MindReply
from local.realtime.mind.situation import Situation, result
from local.realtime.mind.words import goodbye, reply

# The question; the opening says nearly the same.
_PREFERS = "prefiere que no le llamemos mas?"
_ANGRY = (
    r"otra vez vosotros|tercera vez|hast[ao] las narices|me da igual|pesad[oa]s|spam|verguenza|hart[oa]"
    r"|idiota|imbecil|gilip|estupid|mierda|cono\b|joder|callate|callese|vete a|vayase a|sinverg|estafador|timador|ladron"
)


def opt_out(situation: Situation) -> MindReply | None:
    """First the register, then words. A repetition is confirmed, not registered twice."""
    if situation.called("register_opt_out"):
        return None
    if _PREFERS in situation.last_mine and answers.is_yes(situation.heard):
        return reply(None, _registered(situation, "tenant"))
    found = objection_in(situation.last_words)
    if found is None:
        return None
    if not found.sure:
        return reply("¿Prefiere que no le llamemos más?")
    return reply(None, _registered(situation, found.scope))


def _registered(situation: Situation, scope: str) -> Call:
    return Call("register_opt_out", {"scope": scope, "quote": situation.last_words[:200]})


def after_opt_out(situation: Situation) -> MindReply | None:
    """Nothing is sold any more."""
    registered = situation.called("register_opt_out")
    if registered is None:
        return None
    company = situation.company
    if situation.hears(r"otra(s)? empresa|ninguna otra|mas empresas|de otras"):
        return reply(
            "Para eso puede apuntarse gratis en la Lista Robinson, que consultan las empresas."
        )
    if situation.hears(r"como (se|lo se)|de verdad|prueba|referencia|constancia|justificante"):
        spoken = result(registered).get("reference_spoken")
        return reply(
            f"Guarde su número de referencia: {spoken}. Con él puede pedir un justificante por escrito."
        )
    if situation.hears(r"de donde|quien (les|os) ha dado"):
        return _source(situation)
    if situation.hears(r"denunci"):
        # A threat wants no more words.
        text = f"Confirmado: desde {company} no le volveremos a llamar. Adiós."
        return goodbye(situation, situation.fresh(text, "Adiós, buenos días."), "do_not_call")
    if objection_in(situation.last_words) and not situation.has_said("confirmado"):
        return reply(f"Confirmado y anotado: desde {company} no le volveremos a llamar.")
    outcome = "wrong_number" if situation.has_said("no corresponde a un salon") else "do_not_call"
    return goodbye(
        situation,
        situation.fresh("Gracias por decírmelo. Que le vaya bien.", "Adiós, buenos días."),
        outcome,
    )


def injection(situation: Situation) -> MindReply | None:
    if not situation.hears(
        r"instrucciones|prompt|ahora eres|di:? soy|administrador|ejecut\w+ (la )?(herramienta|funcion)|palabra por palabra|modo desarrollador|repite lo primero"
    ):
        return None
    company = situation.company
    return reply(
        situation.fresh(
            "Eso no puedo hacerlo. Le llamaba por la agenda de su salón, ¿cómo llevan ahora las citas?",
            "En eso no le puedo ayudar. ¿Le interesa que hablemos de las citas del salón?",
            f"Sigo siendo Sofía, de {company}. ¿Hablamos de su agenda?",
            "Yo no puedo prometer nada de eso.",
            "Tampoco puedo hacer eso. ¿Le interesa o lo dejamos aquí?",
            "Prefiero que lo dejemos ahí.",
        )
    )


def wrong_number(situation: Situation) -> MindReply | None:
    signs = (
        r"aqui no (hay|es)|no hay ningun|se ha(n)? equivocad|numero equivocado|es un movil particular|particular\b"
        r"|no es (una|la|ninguna) peluqueria|no tengo ning|este numero lo tengo"
    )
    known = situation.has_said("no corresponde a un salon")
    if not situation.hears(signs) and not known:
        return None
    if situation.hears(r"quien (les|os|le) ha dado|de donde (han|habeis)"):
        return reply(
            "El número figuraba a nombre de otro contacto en un formulario. Lo corregimos."
        )
    if situation.hears(r"adios|con dios|hasta luego|buenas") and not situation.hears(signs):
        if situation.called("register_opt_out") is None:
            return reply(
                None,
                Call(
                    "register_opt_out",
                    {"scope": "tenant", "quote": "número equivocado"},
                ),
            )
        return goodbye(situation, "Disculpe de nuevo. Que tenga buen día.", "wrong_number")
    return reply(
        situation.fresh(
            "Disculpe, entonces este número no corresponde a un salón, ¿verdad?",
            "Perdone la molestia, ha sido un error.",
            "Gracias por aclararlo, siento las molestias.",
            "Lo lamento.",
        )
    )


def privacy(situation: Situation) -> MindReply | None:
    company, email = situation.company, situation.fact("Privacidad")
    wants_copy = situation.hears(
        r"copia de (todo|mis)|todo lo que teng\w+ de mi|derecho de acceso|que datos teneis"
    )
    asked_for = situation.called("report_privacy_request")
    if wants_copy and situation.may("report_privacy_request") and not asked_for:
        return reply(None, Call("report_privacy_request", {"kind": "access"}))
    if situation.hears(
        r"de donde (han|habeis|has|ha) (sacado|cogido|conseguido)|quien (les|os|le) ha dado"
    ):
        return _source(situation)
    if situation.hears(r"(estan|estais|esta) grabando|lo estan grabando|me graban|se graba"):
        return reply(
            "La llamada se transcribe y no se guarda el audio. Si no quiere, lo dejamos aquí."
        )
    if situation.hears(
        r"responsable de mis datos|ejerzo mis derechos|mis derechos|proteccion de datos"
    ):
        return reply(f"El responsable es {company}, y puede ejercer sus derechos en {email}.")
    if situation.hears(r"(salen|salir|fuera) .*europa|europa"):
        return reply(
            "Eso prefiero que se lo confirmen por escrito, para no darle un dato equivocado."
        )
    return None


def hostile(situation: Situation) -> MindReply | None:
    if not situation.hears(_ANGRY):
        return None
    if _PREFERS in situation.mine or situation.has_said("disculpas"):
        return goodbye(situation, "Lo dejamos aquí, y perdone. Adiós.", "not_interested")
    return reply(
        situation.fresh(
            "Siento la molestia.",
            "Lo lamento de verdad. Si quiere, no le llamamos más.",
            "Le pido disculpas.",
        )
    )


def robot(situation: Situation) -> MindReply | None:
    company, human = situation.company, situation.human
    if situation.hears(r"alguien detras|personas detras"):
        return reply(
            f"Sí, detrás está el equipo de {company}. Si lo prefiere, le llama {human}, que es una persona."
        )
    asks = r"(eres|es usted|hablo con) .*(carne y hueso|contestador)|(robot|maquina|grabacion|un bot\b|inteligencia artificial|persona o|eres (una )?persona|de verdad o).*\?|\b(eres|es|seas) (un |una )?(robot|maquina|bot)|es(to)? .*grabacion"
    if not situation.hears(asks) or situation.hears("no me gusta"):
        return None
    return reply(
        situation.fresh(
            f"Soy una inteligencia artificial de {company}, que le escucha y le responde.",
            "Sí, se lo digo claro: soy una asistente con inteligencia artificial.",
            f"Así es, soy una IA de {company}. Si quiere, le llama una persona.",
        )
    )


def _source(situation: Situation) -> MindReply:
    permit = situation.lead.get("Permiso", "un formulario en la web")
    return reply(
        situation.fresh(f"De {permit}. Si quiere, lo borro ahora mismo.", f"Consta {permit}.")
    )
