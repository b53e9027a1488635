"""Connection overrides in an address's fragment (twilio.md, section 2.4). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

# The reference gives these codes together; which one stands for what is our reading.
UNKNOWN_KEY, BAD_VALUE, BAD_POLICY, BAD_EDGE = 11240, 11241, 11242, 11243
_SERVER_FAULT, _CLIENT_FAULT = 500, 400
_RANGES = {"ct": (100, 10_000), "rt": (100, 15_000), "tt": (100, 15_000), "rc": (0, 5)}
_POLICIES = frozenset({"4xx", "5xx", "ct", "rt", "all"})
_EDGES = frozenset(
    ["ashburn", "dublin", "frankfurt", "sao-paulo", "singapore", "sydney", "tokyo", "umatilla"]
)


class Failure(Enum):
    """Why no answer came: no connection, or nothing (in time) on it."""

    CONNECT = auto()
    READ = auto()


class BadOverride(Exception):
    """A fragment is not understood; `code` is Twilio's."""

    def __init__(self, code: int) -> None:
        super().__init__(f"override error {code}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Overrides:
    """How long to wait and what to try again, with Twilio's defaults."""

    connect_s: float = 5.0
    read_s: float = 15.0
    total_s: float = 15.0
    retries: int = 1
    policy: frozenset[str] = frozenset({"ct"})

    def again(self, status: int, failure: Failure | None) -> bool:
        """Whether an answer, or its want, is one to be retried."""
        if failure is not None:
            return bool(self.policy & {"ct" if failure is Failure.CONNECT else "rt", "all"})
        if status >= _SERVER_FAULT:
            return bool(self.policy & {"5xx", "all"})
        return status >= _CLIENT_FAULT and bool(self.policy & {"4xx", "all"})


def read_overrides(fragment: str) -> Overrides:
    """Raises BadOverride."""
    given = dict(part.partition("=")[::2] for part in fragment.split("&") if part)
    if not given.keys() <= {*_RANGES, "rp", "e", "sni"}:
        raise BadOverride(UNKNOWN_KEY)
    policy = frozenset(given.get("rp", "ct").split(","))
    if not policy <= _POLICIES:
        raise BadOverride(BAD_POLICY)
    if not set(given.get("e", "ashburn").split(",")) <= _EDGES:
        raise BadOverride(BAD_EDGE)
    if given.get("sni", "y") not in ("y", "n"):
        raise BadOverride(BAD_VALUE)
    return Overrides(
        _number(given, "ct", 5_000) / 1_000,
        _number(given, "rt", 15_000) / 1_000,
        _number(given, "tt", 15_000) / 1_000,
        _number(given, "rc", 1),
        policy,
    )


def _number(given: Mapping[str, str], name: str, default: int) -> int:
    text, (least, most) = given.get(name, str(default)), _RANGES[name]
    if not (text.isascii() and text.isdigit()) or not least <= int(text) <= most:
        raise BadOverride(BAD_VALUE)
    return int(text)
