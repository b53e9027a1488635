"""Event patterns as Lambda's event source mappings use them: which records reach the function.

A pattern is an object like the event; its leaves are lists of what a value may be. Fields are joined by 'and', the
entries of a list by 'or'.

    FilterError   the pattern is not valid; the text says where
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MAX_FILTERS = 5
_ABSENT = object()


class FilterError(Exception):
    """The filter pattern is not valid; the text says why."""


@dataclass(frozen=True, slots=True)
class EventFilter:
    """A record passes if any of the patterns fits."""

    patterns: tuple[Mapping[str, Any], ...]

    def passes(self, record: Mapping[str, Any]) -> bool:
        return any(_fits_object(pattern, record) for pattern in self.patterns)


def parse_filters(texts: Sequence[str], *, numeric: bool) -> EventFilter:
    """The filter of an event source mapping; without `numeric` for streams, whose numbers are text. Raises
    FilterError."""
    if not 1 <= len(texts) <= MAX_FILTERS:
        raise FilterError(f"1 to {MAX_FILTERS} filters are allowed")
    patterns = []
    for text in texts:
        try:
            pattern = json.loads(text)
        except ValueError as error:
            raise FilterError(f"the filter pattern {text} is no JSON") from error
        _check(pattern, numeric)
        patterns.append(pattern)
    return EventFilter(tuple(patterns))


def _check(pattern: Any, numeric: bool) -> None:
    if not isinstance(pattern, dict) or not pattern:
        raise FilterError("a pattern is an object that names at least one field")
    for name, wanted in pattern.items():
        if name == "$or":
            if not isinstance(wanted, list) or len(wanted) < 2:
                raise FilterError("$or takes two or more patterns")
            for alternative in wanted:
                _check(alternative, numeric)
        elif isinstance(wanted, dict):
            _check(wanted, numeric)
        elif not isinstance(wanted, list) or not wanted:
            raise FilterError(f"{name} needs a list of what is allowed")
        else:
            for rule in wanted:
                _check_rule(name, rule, numeric)


def _check_rule(name: str, rule: Any, numeric: bool) -> None:
    if not isinstance(rule, dict):
        return
    operators = list(rule)
    if len(operators) != 1 or operators[0] not in _OPERATORS:
        raise FilterError(f"{name}: {operators} is no operator that is understood")
    if operators[0] == "numeric":
        if not numeric:
            raise FilterError(f"{name}: stream filters have no numeric operators")
        if len(rule["numeric"]) % 2 or any(sign not in _SIGNS for sign in rule["numeric"][::2]):
            raise FilterError(f"{name}: numeric takes pairs of a sign and a number")


def _fits_object(pattern: Mapping[str, Any], value: Any) -> bool:
    return all(_fits_field(name, wanted, value) for name, wanted in pattern.items())


def _fits_field(name: str, wanted: Any, value: Any) -> bool:
    if name == "$or":
        return any(_fits_object(alternative, value) for alternative in wanted)
    found = value.get(name, _ABSENT) if isinstance(value, Mapping) else _ABSENT
    if isinstance(wanted, dict):
        candidates = found if isinstance(found, list) else [found]
        return any(_fits_object(wanted, candidate) for candidate in candidates)
    values = found if isinstance(found, list) else [found]
    return any(_fits_rule(rule, leaf) for rule in wanted for leaf in values)


def _fits_rule(rule: Any, value: Any) -> bool:
    if isinstance(rule, dict):
        ((operator, operand),) = rule.items()
        return _OPERATORS[operator](operand, value)
    return value is not _ABSENT and type(value) is type(rule) and value == rule


def _exists(wanted: bool, value: Any) -> bool:
    # Only leaves exist for a pattern: an object is as good as absent.
    return wanted == (value is not _ABSENT and not isinstance(value, Mapping))


def _anything_but(refused: Any, value: Any) -> bool:
    if value is _ABSENT:
        return False
    if isinstance(refused, dict):
        return not _fits_rule(refused, value)
    return value not in (refused if isinstance(refused, list) else [refused])


def _numeric(conditions: Sequence[Any], value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    pairs = zip(conditions[::2], conditions[1::2], strict=True)
    return all(_SIGNS[sign](value, operand) for sign, operand in pairs)


_SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "exists": _exists,
    "prefix": lambda start, value: isinstance(value, str) and value.startswith(start),
    "suffix": lambda end, value: isinstance(value, str) and value.endswith(end),
    "equals-ignore-case": lambda text, value: (
        isinstance(value, str) and value.lower() == text.lower()
    ),
    "anything-but": _anything_but,
    "numeric": _numeric,
}
