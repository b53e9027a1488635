"""E-mail addresses as they are dictated: `Montse, arroba, salonrius, punto cat`."""

from __future__ import annotations

import re

_AT = re.compile(r"\s*,?\s*\b(?:arroba|arrova|a roba|arroa)\b\s*,?\s*|@")
_DOT = re.compile(r"\s*,?\s*\bpunto\b\s*,?\s*|(?<=\w)\.(?=\w)")
_TOP = r"(?:com|es|cat|org|net|eus|gal|example|info)"


def dictated(folded: str) -> str | None:
    """The address in folded text, None if there is none."""
    if not _AT.search(folded):
        return None
    local, domain = (part.strip(" ,.") for part in _AT.split(folded, maxsplit=1))
    local = re.sub(r"^.*(?:correo|email|es|a)\s+(?=\S+$)", "", local)
    local = _DOT.sub(".", local).split(",")[-1].strip().split(" ")[-1]
    domain = re.sub(r"\s*(guion)\s*", "-", _DOT.sub(".", domain))
    match = re.match(rf"([a-z0-9 -]+(?:\.[a-z0-9 -]+)*?\.{_TOP})\b", domain)
    if not match or not local:
        return None
    return f"{local}@{match.group(1).replace(' ', '')}"


def spoken(address: str) -> str:
    """As it is read back."""
    return address.replace("@", " arroba ").replace(".", " punto ")
