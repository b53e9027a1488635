"""The person to be called, as far as the system knows before it dials."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ConsentBasis(StrEnum):
    """What the person agreed to. An automatic call needs CONSENT_AUTOMATED (LGTel art. 66.1.a)."""

    CONSENT_AUTOMATED = "consent_automated"
    CONSENT_HUMAN = "consent_human"
    NONE = "none"


class ConsentChannel(StrEnum):
    """By which way the person agreed. Places where numbers merely stand (directories, registers, bought lists) are
    none."""

    WEB_FORM = "web_form"
    AD_FORM = "ad_form"
    EVENT = "event"
    PHONE = "phone"
    MESSAGE = "message"
    IN_PERSON = "in_person"


@dataclass(frozen=True, slots=True)
class Consent:
    """Permission to call: what for, where it was given (spoken to the callee on request) and when."""

    basis: ConsentBasis
    source: str
    at: datetime
    withdrawn_at: datetime | None = None
    channel: ConsentChannel | None = None


@dataclass(frozen=True, slots=True)
class Lead:
    """`phone` is E.164, `timezone` an IANA name or None where only the number is known; `subdivision` is the
    autonomous community's two-letter code (MD, CT, ...)."""

    phone: str
    contact_name: str | None = None
    business_name: str | None = None
    municipality: str | None = None
    subdivision: str | None = None
    timezone: str | None = None
    consent: Consent | None = None
    lead_id: str | None = None


_DIRECTORIES = re.compile(
    r"\b(google ?(maps|my business|business|mi negocio)|(ficha|perfil) de google|maps|paginas ?(amarillas|blancas)"
    r"|yellow ?pages|infobel|qdq|11888|11811|cylex|yelp|tripadvisor|foursquare|einforma|axesor|infocif|infoempresa"
    r"|empresite|europages|kompass|registro (mercantil|publico|de empresas)|borme|directorios?|director(y|ies)"
    r"|guias? telefonicas?|listin|repertorio telefonico|scrap\w+|rastreo web"
    r"|(list\w+|bases?|datos|ficheros?|contactos|leads?)( de \w+)* (comprad|adquirid|alquilad|vendid|cedid)\w+"
    r"|(bought|purchased|rented) (list|leads|data))\b"
)


def names_a_directory(source: str) -> bool:
    """Whether a source of consent is a public directory, a register or a bought list, where nobody agreed to anything
    (AEPD EXP202312711)."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", source) if not unicodedata.combining(c))
    return _DIRECTORIES.search(" ".join(bare.lower().replace("-", " ").split())) is not None
