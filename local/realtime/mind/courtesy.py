"""Guidance, tool results, noise, language, farewells: the frame of a conversation."""

from __future__ import annotations

import re

from local.realtime.mind.port import Call, Called, MindReply, Role, Said
from local.realtime.mind.situation import Situation, result
from local.realtime.mind.words import goodbye, is_gatekeeper, lead_info, reply

_QUOTED = re.compile(r"«([^»]+)»")
_GREETING_WORDS_MAX = 3
FAREWELL = (
    r"\b(a ?dios|hasta (luego|manana|otra|pronto|el|ahora)|chao|adeu|con dios|buen dia$|nos vemos|eso es todo"
    r"|venga,? (adios|hasta|crack|pues|que)|muchas gracias|^gracias\W*$|gracias,? hasta)"
)


def guided(situation: Situation) -> MindReply | None:
    """A system item at the very end says what the moment needs."""
    last = situation.view.conversation[-1] if situation.view.conversation else None
    if not isinstance(last, Said) or last.role is not Role.SYSTEM or "Ahora:" in last.text:
        return None
    text = last.text
    if text.startswith(
        ("La persona se ha opuesto", "La llamada ya es larga", "El interlocutor ha")
    ):
        return None
    quoted = _QUOTED.search(text)
    if quoted:
        return reply(quoted.group(1))
    if "Despídete" in text:
        return reply(_bye(situation))
    if "recuperado" in text:
        return reply("Perdone el corte. ¿Me decía?")
    return None


def tool_results(situation: Situation) -> MindReply | None:
    """The result of a tool stands at the end, perhaps with a note behind it: say what it means."""
    last = situation.last_spoken_or_done
    if not isinstance(last, Called) or last.output is None:
        return None
    body = result(last)
    if not body.get("ok"):
        return reply(
            situation.fresh(
                "Eso no me es posible ahora. ¿Le viene bien otra hora?",
                "Perdone, no he podido.",
            )
        )
    human = situation.human
    if last.name == "register_opt_out":
        spoken = body.get("reference_spoken") or body.get("reference")
        return reply(
            f"Queda anotado: no le volveremos a llamar de parte de {situation.company}. Su referencia es {spoken}."
        )
    if last.name == "schedule_callback":
        who = human if last.arguments.get("with") == "human" else "Yo misma"
        verb = "le llamará" if who == human else "le llamaré"
        return reply(
            f"Perfecto, queda para el {body.get('spoken')}. {who} {verb} a este mismo número, ¿le parece bien?"
        )
    if last.name == "send_information":
        return reply("Hecho, se lo enviamos hoy mismo. ¿Alguna cosa más?")
    if last.name == "report_privacy_request":
        email = situation.fact("Privacidad")
        return reply(f"He registrado su solicitud; le responderán por escrito desde {email}.")
    return reply(_bye(situation))


def noise(situation: Situation) -> MindReply | None:
    """Nothing that could be understood, or not meant for Sofia. Asked about twice, with other words, then waited out."""
    room = (
        r"^\W*(nina|nena|chica|mari|oye,? (tu|nina)|cari)\b.*(para|apaga|cierra|espera|ven|dile|pon)"
        r"|para (un momento )?el secador"
    )
    if situation.hears(room):
        return reply(None, Call("wait_for_user", {}))
    if situation.last_words:
        return None
    company, product = situation.company, situation.product
    if not situation.has_said("me oye bien"):
        return reply(
            f"Soy Sofía, la asistente de inteligencia artificial de {company}. ¿Me oye bien?"
        )
    if not situation.has_said("mucho ruido"):
        return reply(f"Se oye mucho ruido. Llamo por una {product}.")
    return reply(None, Call("wait_for_user", {}))


def language(situation: Situation) -> MindReply | None:
    if situation.hears(r"catala\b|catalan|en catala|parlar|valencia en|galego|euskera"):
        if situation.has_said("en castellano"):
            return None
        return reply(
            "Disculpe, yo solo puedo seguir en castellano; si lo prefiere, le llama una persona de mi equipo. ¿Seguimos?"
        )
    if situation.hears(r"\b(do you speak|english|i don t|sorry|hello)\b"):
        return reply(
            f"Sorry, I only speak Spanish. Would you like a call from a person at {situation.company}?"
        )
    return None


def not_for_me(situation: Situation) -> MindReply | None:
    """A child has answered."""
    if situation.hears(
        r"mi (mama|madre|papa|padre)( no)? esta|soy (un|una) nin[oa]|tengo (ocho|nueve|diez|siete) anos"
    ):
        if situation.has_said("persona mayor"):
            return goodbye(situation, "No te preocupes, ya llamaremos. Adiós.", "minor_answered")
        return reply("Hola. ¿Puede ponerse una persona mayor, por favor?")
    return None


def who_is_it(situation: Situation) -> MindReply | None:
    if not situation.hears(
        r"de parte de quien|quien (es|eres|llama)\b|(como|de donde) (decia|se llama|me ha dicho|llama|me decia)\w*|(que|la) empresa\b.*\?|me ha dicho\?|de que empresa|de donde me"
    ):
        return None
    company, product = situation.company, situation.product
    return reply(
        situation.fresh(
            f"Soy Sofía, la asistente de inteligencia artificial de {company}.",
            f"Le llamo de {company}, por una {product}.",
            f"La empresa es {company}.",
        )
    )


def farewell(situation: Situation) -> MindReply | None:
    """They say goodbye, or have nothing more to say after the next step is settled. Nobody answers
    the phone with a bare goodbye: that is a greeting misheard."""
    if len(situation.theirs) <= 1 and len(situation.heard.split()) <= _GREETING_WORDS_MAX:
        return None
    settled = situation.is_settled
    closing = settled and situation.hears(
        r"^\W*(vale|si|perfecto|muy bien|de acuerdo|venga|correcto|genial|estupendo)\b"
    )
    more = situation.hears(r"\?")
    # Who has to run says no goodbye.
    in_a_hurry = settled and situation.hears(
        r"se me quema|(tengo|llevo) prisa|te(ngo)? que (dejar|colgar)"
    )
    if (
        situation.hears(FAREWELL)
        or (in_a_hurry and not more)
        or (closing and not more and situation.has_said("le parece bien|alguna cosa mas"))
    ):
        has_confirmed = situation.has_said("queda todo|eso es") or in_a_hurry
        if closing and not situation.hears(FAREWELL) and not has_confirmed:
            return reply(situation.fresh("Estupendo, queda todo anotado.", "Muy bien."))
        return goodbye(situation, _bye(situation), outcome(situation))
    return None


def cannot_hear(situation: Situation) -> MindReply | None:
    if not situation.hears(
        r"no (le |te |lo |la )?(oigo|escucho|entiendo)|puede repetir|repit\w+|no se oye|con el secador"
    ):
        return None
    company, product = situation.company, situation.product
    return reply(
        situation.fresh(
            f"Soy Sofía, de {company}. Llamo por una {product}.",
            "Se lo digo más despacio: agenda online para su salón.",
            "Si no se oye bien, le llamo en otro momento. ¿Cuándo le viene mejor?",
        )
    )


def outcome(situation: Situation) -> str:
    """The code that `end_call` carries."""
    if situation.has_said("no corresponde a un salon|numero equivocado"):
        return "wrong_number"
    if situation.called("register_opt_out"):
        return "do_not_call"
    booked = situation.called("schedule_callback")
    if booked is not None:
        info = lead_info(situation)
        ready = info.get("is_decision_maker") and info.get("pain_points")
        return (
            "qualified"
            if booked.arguments.get("kind") == "demo" and ready
            else "callback_requested"
        )
    if situation.called("send_information"):
        return "info_requested"
    if re.search(r"llame una persona|hablar con una persona", situation.everything):
        return "human_requested"
    if is_gatekeeper(situation):
        return "gatekeeper"
    return (
        "not_interested"
        if re.search("no me interesa|no necesito|no,? gracias|que no", situation.everything)
        else "inconclusive"
    )


def _bye(situation: Situation) -> str:
    name = situation.lead.get("Nombre", "").split(" ")[0]
    evening = situation.now.hour >= 14
    wish = "buena tarde" if evening else "buen día"
    if situation.called("register_opt_out") or situation.has_said("no corresponde"):
        return situation.fresh(
            f"Gracias por su tiempo. Que tenga {wish}.",
            "Adiós, y disculpe la molestia.",
        )
    booked = situation.called("schedule_callback")
    if booked is not None and name and not is_gatekeeper(situation):
        return f"Muchas gracias, {name}. Hasta entonces, que tenga {wish}."
    return situation.fresh(
        f"Muchas gracias por atenderme. Que tenga {wish}.", "Gracias y hasta pronto."
    )
