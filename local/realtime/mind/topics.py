"""What Sofia asks about, each in several wordings: the first to ask, the others to ask again in other words."""

from __future__ import annotations

import re
from dataclasses import dataclass

from local.realtime.mind.situation import Situation
from local.realtime.mind.words import lead_info


@dataclass(frozen=True, slots=True)
class Topic:
    """`asked` is what gives a question about it away in Sofia's own words, folded; `{human}` stands for the contact;
    `field` is where the lead's information keeps the answer."""

    asked: str
    wordings: tuple[str, ...]
    field: str | None = None

    def question(self, situation: Situation) -> str:
        """The first wording that was not used yet."""
        return situation.fresh(*(words.format(human=situation.human) for words in self.wordings))

    def is_known(self, situation: Situation) -> bool:
        """That somebody does not decide leaves open who does."""
        answer = lead_info(situation).get(self.field) if self.field is not None else None
        return answer is not None and answer is not False


MOMENT = Topic(
    r"buen momento",
    ("¿Le pillo en buen momento?", "Decía si puede hablar ahora un minuto. ¿Puede?"),
)
BOOKINGS = Topic(
    r"llevan ahora las citas|apuntan las citas",
    (
        "¿Cómo llevan ahora las citas?",
        "Le preguntaba dónde apuntan las citas: ¿en papel, en el ordenador, en el móvil?",
        "Quería saber con qué organizan la agenda del salón.",
    ),
    "booking_tools",
)
PAINS = Topic(
    r"mas guerra|mas tiempo le quita",
    (
        "¿Qué es lo que más guerra le da?",
        "Me refiero a lo que más tiempo le quita con las citas. ¿Qué sería?",
        "Decía qué le gustaría que fuera mejor con las citas.",
    ),
    "pain_points",
)
STAFF = Topic(
    r"cuantas personas|cuantos trabajan",
    (
        "¿Cuántas personas son en el salón?",
        "Le preguntaba cuántos trabajan ahí, contándole a usted. ¿Cuántos son?",
    ),
    "staff_count",
)
DECISION = Topic(
    r"las lleva usted|la decide usted",
    (
        "¿Las decisiones de la agenda las lleva usted?",
        "Le preguntaba si lo de la agenda lo decide usted o alguien más. ¿Quién lo decide?",
    ),
    "is_decision_maker",
)
DEMO = Topic(
    r"demostracion",
    (
        "¿Le parece si {human} se lo enseña en una demostración y qué día le viene bien?",
        "Le proponía que {human} le enseñe cómo funciona. ¿Qué día podría?",
    ),
)
DAY = Topic(
    r"que dia|cuando le",
    (
        "¿Qué día y a qué hora le viene bien?",
        "Le preguntaba cuándo podemos llamarle. ¿Qué día sería?",
    ),
)
HOUR = Topic(r"que hora", ("¿A qué hora?", "Le preguntaba la hora. ¿Por la mañana o por la tarde?"))
_DISCOVERY = (BOOKINGS, PAINS, STAFF, DECISION, DEMO)
# The more special first: who proposes a demonstration asks for a day, and who asks for a day may ask for the hour.
_ALL = (MOMENT, *_DISCOVERY, DAY, HOUR)


def next_topic(situation: Situation) -> Topic | None:
    """What is to be found out next: not known, and not asked about yet."""
    return next(
        (t for t in _DISCOVERY if not t.is_known(situation) and not situation.has_said(t.asked)),
        None,
    )


def last_topic(situation: Situation) -> Topic | None:
    """What Sofia asked about last, None where her last words asked nothing that is known here."""
    return next((t for t in _ALL if re.search(t.asked, situation.last_mine)), None)
