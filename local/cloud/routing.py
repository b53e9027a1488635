"""Which route a request takes, by API Gateway's priorities."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from local.cloud.declarations import Route

_GREEDY = re.compile(r"\{(\w+)\+\}")
_SINGLE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Match:
    """A route and the path parameters it took from the path."""

    route: Route
    parameters: dict[str, str]


class Router:
    """A full match comes before one with parameters, this before a greedy one, and `$default` is last; among equals
    the route that names the method wins."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = [(route, _pattern(route.path)) for route in sorted(routes, key=_priority)]

    def find(self, method: str, path: str) -> Match | None:
        """`path` is decoded and has no query."""
        for route, pattern in self._routes:
            if route.method in (method, "ANY"):
                match = pattern.fullmatch(path)
                if match is not None:
                    return Match(route, match.groupdict())
        return None


def _priority(route: Route) -> tuple[bool, bool, int, bool]:
    return (
        route.path == "$default",
        _GREEDY.search(route.path) is not None,
        len(_SINGLE.findall(route.path)),
        route.method == "ANY",
    )


def _pattern(path: str) -> re.Pattern[str]:
    if path == "$default":
        return re.compile(r".*", re.DOTALL)
    parts = re.split(r"(\{\w+\+?\})", path)
    return re.compile("".join(_part(part) for part in parts), re.DOTALL)


def _part(part: str) -> str:
    if greedy := _GREEDY.fullmatch(part):
        return f"(?P<{greedy[1]}>.+)"
    if single := _SINGLE.fullmatch(part):
        return f"(?P<{single[1]}>[^/]+)"
    return re.escape(part)
