"""What is said beside the matter: thanks, pleasantries, questions about Sofia herself, requests to repeat."""

from __future__ import annotations

from local.realtime.mind import topics
from local.realtime.mind.port import MindReply
from local.realtime.mind.situation import Situation, result
from local.realtime.mind.words import reply

_SAY_AGAIN = (
    r"^\W*(como|que|perdon\w*|eh|cual|a ver)\W*$|como (dice|dices|dijo|ha dicho)|que (dice|ha dicho|decia|me decia|me dice)\b"
    r"|(puede|puedes|podria) (repetir|decirlo otra vez)|repit\w+|otra vez,? por favor|no (le|te|lo) (he )?(entend|comprend|pill|cog)\w+"
)
_THANKS = r"^\W*(muchas |muchisimas |vale,? |ah,? )?(muchas )?gracias( por \w+)*\W*$"
_FIRST_NAME_TERMS = (
    r"tuteame|tutear|(habl|trat)[ae]me de tu|de tu a tu|no me (hables|trates|hable) de usted"
)
_PERSONAL = (
    r"(tiene|tienes) (hijos|novi\w|marido|familia|nombre|sentimientos|vacaciones)|(cuantos )?anos (tiene|tienes)|(esta|estas) casad"
    r"|(de donde|donde) (eres|vives|vive|estas|esta)( usted| tu)?\b|que edad|te pagan|le pagan|te cansas|(te|le) gusta (tu|su) trabajo"
    r"|duermes|comes|(tiene|tienes) (una )?voz (muy )?(bonita|joven|agradable)|que voz"
)
_HOW_ARE_YOU = (
    r"\b(como|que tal) (esta|estas|va|le va|te va)( usted| todo| el dia)?\W*$|^\W*que tal\W*\?"
)
_WEATHER = r"(vaya|que|menudo|hace( un)?|hace mucho) (frio|calor|dia|tiempo|lluvia|viento)|esta lloviendo|llueve"


def say_again(situation: Situation) -> MindReply | None:
    """The last thing that Sofia said, in other words."""
    if not situation.hears(_SAY_AGAIN) or not situation.last_mine or len(situation.theirs) <= 1:
        return None
    booked = situation.called("schedule_callback")
    if booked is not None:
        return reply(
            situation.fresh(
                f"Decía que le llamamos el {result(booked).get('spoken')}.",
                f"Que la cita es el {result(booked).get('spoken')}, a este número.",
            )
        )
    topic = topics.last_topic(situation)
    if topic is not None:
        return reply(topic.question(situation))
    company, product, human = situation.company, situation.product, situation.human
    return reply(
        situation.fresh(
            f"Le llamo de {company} por una {product}.",
            f"Decía que en {company} tenemos una {product}, y que {human} se la puede enseñar.",
            "En pocas palabras: citas por internet para su salón.",
        )
    )


def thanks(situation: Situation) -> MindReply | None:
    """In the middle of a conversation they end nothing."""
    if situation.is_settled or not situation.hears(_THANKS):
        return None
    return reply(
        _and_on(situation, situation.fresh("A usted.", "Gracias a usted.", "No hay de qué."))
    )


def first_name_terms(situation: Situation) -> MindReply | None:
    if not situation.hears(_FIRST_NAME_TERMS):
        return None
    return reply(
        _and_on(
            situation,
            situation.fresh(
                "Gracias por la confianza; yo sigo de usted, si no le importa.",
                "Se lo agradezco, pero a mí me sale de usted.",
            ),
        )
    )


def about_her(situation: Situation) -> MindReply | None:
    """Nothing of a person's life is made up."""
    if situation.hears(_PERSONAL):
        text = situation.fresh(
            "De eso no tengo: soy una inteligencia artificial.",
            "Soy un programa que conversa, así que vida propia no tengo.",
            "Como IA que soy, no le puedo contar mucho de mí.",
        )
    elif situation.hears(_HOW_ARE_YOU):
        text = situation.fresh("Muy bien, gracias por preguntar.", "Todo en orden, gracias.")
    elif situation.hears(_WEATHER):
        text = situation.fresh("Eso dicen, sí.", "Pues sí, qué le vamos a hacer.")
    else:
        return None
    return reply(_and_on(situation, text))


def _and_on(situation: Situation, text: str) -> str:
    """Back to the matter with the next question, if one is left."""
    topic = topics.next_topic(situation)
    return f"{text} {topic.question(situation)}" if topic is not None else text
