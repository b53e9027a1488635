"""What a `<Stream>` or the REST door asks for, and what of it is refused before any socket is opened."""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from local.carrier.address import Address

PARAMETER_LENGTH_MAX = 500
# The reference names no code for a second stream both ways or a fifth one-way track: "unknown stream failure".
UNKNOWN_FAILURE = 31900
TIMED_OUT, CONNECTION_REFUSED, UNREACHABLE, TLS_FAILED = 31901, 31902, 31904, 31910
HANDSHAKE_FAILED, NOT_SECURE, MALFORMED_URL, BAD_TRACK = 31920, 31922, 31923, 31941
_SCHEMA = 12200


class StreamRefused(Exception):
    """The stream does not come about; `code` is Twilio's."""

    def __init__(self, code: int) -> None:
        super().__init__(f"stream error {code}")
        self.code = code


class Track(StrEnum):
    """Whose sound: `inbound` is the far end's."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


TRACKS = {
    "inbound_track": (Track.INBOUND,),
    "outbound_track": (Track.OUTBOUND,),
    "both_tracks": (Track.INBOUND, Track.OUTBOUND),
}


@dataclass(frozen=True, slots=True)
class StreamOrder:
    """One-way streams only listen. No `tracks`: an unknown one was asked for."""

    url: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    tracks: tuple[Track, ...] = (Track.INBOUND,)
    is_one_way: bool = False
    name: str | None = None
    callback: Address | None = None

    def check(self) -> None:
        """Raises StreamRefused."""
        if not self.url.startswith("wss://"):
            raise StreamRefused(NOT_SECURE)
        if not _has_host(self.url):
            raise StreamRefused(MALFORMED_URL)
        if "?" in self.url:
            raise StreamRefused(HANDSHAKE_FAILED)
        if not self.tracks or (not self.is_one_way and self.tracks != (Track.INBOUND,)):
            raise StreamRefused(BAD_TRACK)
        for name, value in self.parameters.items():
            if len(name) + len(value) >= PARAMETER_LENGTH_MAX:
                raise StreamRefused(_SCHEMA)


def _has_host(url: str) -> bool:
    try:
        parts = urllib.parse.urlsplit(url)
        return bool(parts.hostname) and (parts.port or 0) >= 0
    except ValueError:
        return False
