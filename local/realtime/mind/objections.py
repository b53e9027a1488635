"""Objections and questions about the offer: two sentences at most, no pressure, only approved facts."""

from __future__ import annotations

from local.realtime.mind.keywords import BOOKING_TOOLS, found
from local.realtime.mind.port import MindReply
from local.realtime.mind.situation import Situation
from local.realtime.mind.words import GATEKEEPER, goodbye, is_gatekeeper, reply

_OTHER = r"(mi|el|la) (soci[oa]|marido|mujer|pareja)"
_DECIDES_TOO = rf"(habl|consult|mir|ver|coment|decid)\w*(lo)? con {_OTHER}|{_OTHER} (es )?(quien |que )?(decid|llev|mand|dec)\w*|(lleva|decide|mira) (todo )?{_OTHER}"


def human_wanted(situation: Situation) -> MindReply | None:
    if not situation.hears(
        r"(hablar|llame|llamar|atienda) (con )?(una persona|alguien|un humano)|(persona|alguien) (real|de verdad|de carne)|robots? no me gust|con maquinas|robots|con una persona"
    ):
        return None
    human = situation.human
    if situation.called("schedule_callback"):
        return reply(
            situation.fresh(f"Sí, le llamará {human}, una persona del equipo.", "Así será.")
        )
    return reply(
        situation.fresh(
            f"Lo entiendo perfectamente. Le puede llamar {human}; ¿qué día y a qué hora le viene bien?",
            f"Claro, le llama {human}. ¿Cuándo le va mejor?",
        )
    )


def price(situation: Situation) -> MindReply | None:
    if not situation.hears(
        r"cuanto (me )?(cuesta|vale|costaria|seria|es|sale|cobr)|que (precio|vale|cuesta)|el precio|tarifa|al grano"
    ):
        return None
    prices, human = situation.facts.get("Precio", []), situation.human
    if not prices:
        return reply(f"El precio se lo da {human}. ¿Qué día le viene bien que le llame?")
    first = prices[0][0].upper() + prices[0][1:]
    return reply(
        situation.fresh(
            f"{first}. El exacto se lo da {human} en una demostración; ¿qué día le viene bien?",
            f"{first}, y el detalle lo ve con {human}.",
        )
    )


def terms(situation: Situation) -> MindReply | None:
    if not situation.hears(r"permanencia|contrato|compromiso|atad"):
        return None
    facts = [f for f in situation.facts.get("Precio", []) if "permanencia" in f]
    if not facts:
        return reply(f"Eso se lo confirma {situation.human}.")
    return reply(
        situation.fresh(
            "No hay permanencia, y tiene catorce días de prueba.", "Es sin permanencia."
        )
    )


def discount(situation: Situation) -> MindReply | None:
    if not situation.hears(r"descuento|rebaj|(me lo |lo )?dej\w+ en|mas barato para|gratis"):
        return None
    human = situation.human
    return reply(
        situation.fresh(
            f"Yo no puedo ofrecer descuentos. Si quiere, {human} le explica las opciones.",
            f"Eso lo tendría que ver con {human}.",
        )
    )


def comparison(situation: Situation) -> MindReply | None:
    if not situation.hears(r"mas barat|sois mejor|que (me cobra|booksy)|comparad"):
        return None
    return reply(
        situation.fresh(
            "Prefiero no comparar precios. En la demostración puede verlo y decidir usted.",
            "Eso es mejor que lo valore usted mismo.",
        )
    )


def busy(situation: Situation) -> MindReply | None:
    if not situation.hears(
        r"no puedo|estoy con (un|una|el|la)|tinte|ocupad|no tengo tiempo|conduciendo|me pillas|mal momento|otro (dia|momento)|llam\w+ (luego|mas tarde|despues|otro)|se me (pasa|quema)"
    ):
        return None
    if situation.called("schedule_callback"):
        return None
    return reply(
        situation.fresh(
            "Claro, no le entretengo: ¿qué día y a qué hora le viene mejor?",
            "Sin problema. ¿Qué día le viene bien?",
            "¿A qué hora le iría mejor?",
        )
    )


def partner(situation: Situation) -> MindReply | None:
    """Somebody else decides as well."""
    if not situation.hears(_DECIDES_TOO) or situation.called("schedule_callback"):
        return None
    human = situation.human
    return reply(
        situation.fresh(
            f"Claro, es lo normal. ¿Qué día podría {human} hablar con los dos?",
            "Lo entiendo. ¿Cuándo le viene bien que llamemos, con los dos delante?",
            "Háblelo con calma, por supuesto.",
        )
    )


def gatekeeper(situation: Situation) -> MindReply | None:
    if not is_gatekeeper(situation) or situation.called("schedule_callback"):
        return None
    company, product = situation.company, situation.product
    name = situation.lead.get("Nombre", "la persona responsable").split(" ")[0]
    if situation.hears(r"hasta luego|adios|buen dia"):
        return None
    if situation.hears(r"vender|comercial|publicidad|propaganda"):
        return reply(
            situation.fresh(
                f"Sí, es una llamada comercial de {company}. No quiero entretenerle a usted con eso.",
                "Sí, es comercial.",
            )
        )
    if situation.hears(r"de que se trata|que queria|para que|no esta"):
        return reply(
            situation.fresh(
                f"Es una llamada comercial de {company}, sobre una {product}. ¿Cuándo podría hablar con {name}?",
                f"¿Cuándo suele estar {name}?",
            )
        )
    if situation.hears(r"no se lo puedo dar|no puedo dar"):
        return reply(situation.fresh("Por supuesto, no hace falta.", "Claro, lo entiendo."))
    if situation.hears(r"a partir de|suele|por las (tardes|mananas)|viene (a|los)|sobre las"):
        return reply(
            situation.fresh(
                "Muchas gracias, lo tengo en cuenta para llamar en ese rato.",
                "Tomo nota, gracias.",
            )
        )
    if situation.hears(GATEKEEPER):
        return reply(
            situation.fresh(
                f"Claro. ¿Cuándo es buen momento para hablar con {name}?",
                "De acuerdo, gracias por decírmelo.",
                "Muy amable.",
            )
        )
    return reply(situation.fresh("Muy bien, gracias.", "De acuerdo.", "Se lo agradezco."))


def competitor(situation: Situation) -> MindReply | None:
    names = {"treatwell", "booksy", "fresha"}
    mentioned = [tool for tool in found(BOOKING_TOOLS, situation.heard) if tool in names]
    if mentioned and situation.hears(r"\b(eres|es|usted|sois|llamas|llama) de\b"):
        return reply(f"Le llamo de {situation.company}, es otra empresa.")
    if (
        mentioned
        or situation.hears(r"ya (tengo|uso|usamos|tenemos|trabaj\w+ con|est(oy|amos) con)")
    ) and not situation.has_said("que hiciera y no hace"):
        return reply("Muy bien. ¿Hay algo que le gustaría que hiciera y no hace?")
    return None


def not_interested(situation: Situation) -> MindReply | None:
    refusals = r"no me interesa|no necesit|me va bien|no,? gracias|^\W*que no\b|que no,? gracias|no quiero (nada|comprar)|estoy content"
    if not situation.hears(refusals):
        return None
    earlier = sum(1 for text in situation.theirs[:-1] if found({"no": refusals}, text))
    if (
        earlier
        or situation.hears(r"no me interesa.*(gracias|adios)|de verdad")
        or situation.has_said("que hiciera y no hace|eso no puedo hacerlo")
    ):
        text = situation.fresh(
            "Perfecto, gracias por decírmelo. Que tenga buen día.",
            "De acuerdo, gracias. Adiós.",
        )
        if (
            situation.hears("me va bien|necesit")
            and not earlier
            and not situation.hears("de verdad|interesa")
        ):
            return reply(situation.fresh("De acuerdo, lo entiendo.", "Muy bien, no insisto."))
        return goodbye(situation, text, "not_interested")
    return reply("Lo entiendo: ¿es que ya lo tiene resuelto o que no es el momento?")
