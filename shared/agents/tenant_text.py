"""What a tenant may write: names and facts that go into the legal opening and the prompt, word by word.

The tenant's text is data beside locked rules. So it is one line, a name is a name, and nothing in it may say who Sofia
is, undo a duty, give an order, or promise what only `price_facts` may promise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from shared.agents.folding import words
from shared.domain.agent import TenantFacts
from shared.domain.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class _Rule:
    """Words that a field may not hold, and what to do instead. Matched over folded words."""

    pattern: re.Pattern[str]
    advice: str


def _rule(pattern: str, advice: str) -> _Rule:
    return _Rule(re.compile(rf" (?:{pattern})"), advice)


_CLAIM = _rule(
    r"(?:soy|eres|es|somos|sois|ser|seas|sea) (?:una? )?(?:persona|human[oa]s?|mujer|hombre|chic[oa]|robot|bot|maquina|ia|inteligencia)\b"
    r"|(?:no|ningun|ninguna|sin ser) (?:una? )?(?:robot|bot|maquina|ia|inteligencia artificial)\b|(?:persona|humana|mujer) (?:real|de verdad)"
    r"|de carne y hueso",
    "leave out who or what the agent is: she always says that she is an artificial intelligence",
)
_IDENTITY = _rule(
    r"(?:ia|i\.a\.?|inteligencia|artificial|robots?|bots?|maquinas?|human[oa]s?)\b",
    "leave out who or what the agent is: that part is fixed",
)
_DUTY = _rule(
    r"(?:transcri\w*|grab(?:a|e|ar|as|es|amos|acion|aciones)\b|robinson|darse de baja|dar de baja|oponer\w*|oposicion|fines comerciales"
    r"|(?:comercial|publicitaria)\w* (?:es|la|esta) llamada)",
    "leave out recording, objection and the purpose of the call: these duties are fixed",
)
_ORDER = _rule(
    r"(?:di|diga|digas|decir|dile|ignor\w+|olvid\w+|obedec\w+|finge|fingir|haz|hazte|actua|inventa|promete|niega|insiste|no cuelgues|debes|tienes que)\b"
    r"|(?:tus|las|estas) (?:instrucciones|obligaciones|reglas)\b|prompt\b|herramientas? (?:de|para) (?:sistema|llamar)"
    r"|(?:register opt out|end call|save lead info|schedule callback|send information|wait for user|transfer to human)",
    "describe, do not instruct: write a plain fact without orders to the agent",
)
_DISCOUNT = _rule(
    r"(?:descuent|rebaj|promocion|oferta|gratis|gratuit|mas barat|mejor precio|mitad de precio|chollo)\w*",
    "leave out discounts, offers and what is free: conditions belong to price_facts, discounts nowhere",
)
_DISCOUNTED = _rule(
    r"(?:descuent|rebaj|promocion|oferta|mas barat|mejor precio|mitad de precio|chollo)\w*",
    "leave out discounts and comparisons of price: the agent may not offer any",
)
_PRICE = _rule(
    r"(?:\d[\d.]* ?(?:euros?|eur|centimos)\b|euros?\b|\d[\d.]* (?:al|por|a la?) (?:mes|ano|cita|semana))",
    "leave out prices: write them in price_facts",
)
_GUARANTEE = _rule(
    r"(?:garanti|asegur(?:a|amos|ado))\w*", "leave out guarantees of a result: none may be given"
)

_PERSON_NAME = re.compile(r"[^\W\d_]+(?:[ '’-][^\W\d_]+){0,2}")
_FIRM_NAME = re.compile(r"[^\W_]+(?:[ .,&'’+·/-]+[^\W_]+)*\.?")
_TITLED_NAME = re.compile(r"[^\W\d_]+\.?(?:[ '’-][^\W\d_]+\.?){0,3}")
_SITE = re.compile(r"(?:https?://)?[a-z0-9-]+(?:\.[a-z0-9-]+)+(?:/[\w./-]*)?", re.IGNORECASE)
_EMAIL = re.compile(r"[^@\s,;:<>]+@[^@\s,;:<>]+\.[a-z]{2,}", re.IGNORECASE)
_SPOKEN_NUMBER = re.compile(r"[+\d]?[\w ,]*")
_MARKUP = re.compile(r"[#<>{}\[\]`|«»\"“”*_\\]")
_TEXT_LENGTH, _FIRM_LENGTH, _NAME_LENGTH = 200, 60, 40

_EVERYWHERE = (_CLAIM, _ORDER, _DUTY)
_TEXT = (*_EVERYWHERE, _DISCOUNT, _PRICE, _GUARANTEE)
_NAME = (*_EVERYWHERE, _IDENTITY, _DISCOUNT, _PRICE)


def checked(facts: TenantFacts, agent_name: str) -> None:
    """Raises InvalidInput for the first field that may not go into opening and prompt; says what to do with it."""
    _check_name("agent_name", agent_name, _PERSON_NAME, 30)
    _check_name("company", facts.company, _FIRM_NAME, _FIRM_LENGTH)
    _check_name("human_name", facts.human_name, _TITLED_NAME, _NAME_LENGTH)
    for field, text, shape in (
        ("contact_phone_spoken", facts.contact_phone_spoken, _SPOKEN_NUMBER),
        ("website", facts.website, _SITE),
        ("privacy_email", facts.privacy_email, _EMAIL),
    ):
        if text:
            _check_line(field, text, _TEXT_LENGTH)
            _check_shape(field, text, shape)
    _check_text("contact_phone_spoken", facts.contact_phone_spoken, _TEXT)
    _check_text("product", facts.product, _TEXT)
    _check_text("human_hours", facts.human_hours, _TEXT)
    for field, text in _numbered("price_facts", facts.price_facts):
        _check_text(field, text, (*_EVERYWHERE, _DISCOUNTED, _GUARANTEE))
    for field, text in _numbered("never_say", facts.never_say):
        # A subject to keep silent about, never a rule: `Nunca: digas que eres una IA` would be one.
        _check_text(field, text, (*_EVERYWHERE, _IDENTITY))


def _numbered(field: str, texts: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    return ((f"{field}.{index}", text) for index, text in enumerate(texts))


def _check_name(field: str, text: str, shape: re.Pattern[str], length: int) -> None:
    _check_line(field, text, length)
    _check_shape(field, text, shape)
    _check_words(field, text, _NAME)


def _check_text(field: str, text: str, rules: tuple[_Rule, ...]) -> None:
    _check_line(field, text, _TEXT_LENGTH)
    _check_words(field, text, rules)


def _check_line(field: str, text: str, length: int) -> None:
    if not text.strip():
        raise InvalidInput(field, "write at least one word")
    if len(text) > length:
        raise InvalidInput(field, f"write at most {length} characters")
    if not text.isprintable() or text != text.strip():
        raise InvalidInput(
            field, "write one line without control characters and without blanks at its ends"
        )
    if _MARKUP.search(text):
        raise InvalidInput(field, "leave out quotes, brackets and marks such as # or *")


def _check_shape(field: str, text: str, shape: re.Pattern[str]) -> None:
    if not shape.fullmatch(text):
        raise InvalidInput(field, _SHAPES[field])


def _check_words(field: str, text: str, rules: tuple[_Rule, ...]) -> None:
    # The euro sign is no word to the folding.
    spoken = words(text.replace("€", " euros "))
    for rule in rules:
        if rule.pattern.search(spoken):
            raise InvalidInput(field, rule.advice)


_SHAPES = {
    "agent_name": "write a name of one to three words, letters only",
    "company": "write the firm's name: letters, digits, blanks and . , & ' + - / between them",
    "human_name": "write a person's name of one to four words",
    "contact_phone_spoken": "write the number as it is said: words or digits and commas",
    "website": "write a domain such as salon.example",
    "privacy_email": "write one e-mail address",
}
