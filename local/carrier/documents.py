"""TwiML documents: fetched, read, and refused as Twilio refuses them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from local.carrier.address import Address

if TYPE_CHECKING:
    from local.carrier.call import EmulatedCall

DOCUMENT_BYTES_MAX = 65_536
_XML = frozenset({"text/xml", "application/xml", "application/rss+xml"})


class DocumentFailed(Exception):
    """A document cannot be had or read; `code` is Twilio's, `url` where it was asked for."""

    def __init__(self, code: int, url: str) -> None:
        super().__init__(f"document error {code}")
        self.code = code
        self.url = url

    def form(self) -> dict[str, str]:
        """What the fallback address is told."""
        return {"ErrorCode": str(self.code), "ErrorUrl": self.url}


@dataclass(slots=True)
class Document:
    """The TwiML being run; `url` is where it was fetched, `replaced` is set by an update."""

    source: str | Address
    url: str = ""
    replaced: asyncio.Event = field(default_factory=asyncio.Event)


async def root_of(
    call: EmulatedCall, document: Document, extra: Mapping[str, str]
) -> ElementTree.Element:
    """The document's root, fetched if need be with `extra` in the form; raises DocumentFailed."""
    if isinstance(document.source, Address):
        text = await fetched(call, document.source, document, extra)
    else:
        text = document.source
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise DocumentFailed(12100, document.url) from error
    if root.tag != "Response":
        raise DocumentFailed(12102, document.url)
    return root


async def fetched(
    call: EmulatedCall, address: Address, document: Document, extra: Mapping[str, str]
) -> str:
    """The text at an address, which becomes the document's; raises DocumentFailed."""
    exchange = await call.request_document(address, extra)
    answer = exchange.answer
    document.url = exchange.url
    if not answer.is_fine:
        raise DocumentFailed(11200, exchange.url)
    if len(answer.body.encode()) > DOCUMENT_BYTES_MAX:
        raise DocumentFailed(11750, exchange.url)
    if not answer.body:
        raise DocumentFailed(11770, exchange.url)
    if answer.content_type not in _XML:
        raise DocumentFailed(12300, exchange.url)
    return answer.body
