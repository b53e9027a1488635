"""Compares a value that the product stored or passed to a tool with what the persona file
expects."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from local.callee.folding import fold
from local.callee.matching import AnyOf, Contains, Exactly, Expected, Matches


def matches(expected: Expected, actual: object) -> bool:
    """Whether `actual` is what is expected. Nothing (None) matches only an expected None."""
    if isinstance(expected, Exactly):
        return _equal(expected.value, actual)
    if isinstance(expected, AnyOf):
        return any(_equal(each, actual) for each in expected.any_of)
    if isinstance(expected, Matches):
        return actual is not None and _found(expected.regex, _as_text(actual))
    return _contains(expected, actual)


def described(expected: Expected) -> str:
    """For messages: `= 3`, `any of (2, 3)`, `matching ...`, `containing ...`."""
    if isinstance(expected, Exactly):
        return f"{expected.value!r}"
    if isinstance(expected, AnyOf):
        return f"any of {', '.join(repr(each) for each in expected.any_of)}"
    if isinstance(expected, Matches):
        return f"something matching {expected.regex!r}"
    return f"something containing {', '.join(repr(each) for each in expected.contains)}"


def look_up(fields: Mapping[str, object], dotted_name: str) -> object:
    """The field of that name, or of those nested names; None if there is none."""
    if dotted_name in fields:
        return fields[dotted_name]
    head, _, rest = dotted_name.partition(".")
    inner = fields.get(head)
    return look_up(inner, rest) if rest and isinstance(inner, Mapping) else None


def _equal(expected: object, actual: object) -> bool:
    if isinstance(expected, bool) or isinstance(actual, bool):
        return expected is actual
    if isinstance(expected, str) and isinstance(actual, str):
        return expected.strip() == actual.strip() or _same_moment(expected, actual)
    if isinstance(expected, tuple) and _is_list(actual):
        assert isinstance(actual, Sequence)
        return len(expected) == len(actual) and all(map(_equal, expected, actual))
    return expected == actual


def _same_moment(expected: str, actual: str) -> bool:
    """Equal instants, or, where the actual one has no offset, equal wall times."""
    try:
        wanted, given = datetime.fromisoformat(expected), datetime.fromisoformat(actual)
    except ValueError:
        return False
    if given.tzinfo is None or wanted.tzinfo is None:
        return wanted.replace(tzinfo=None) == given.replace(tzinfo=None)
    return wanted == given


def _contains(expected: Contains, actual: object) -> bool:
    if _is_list(actual):
        assert isinstance(actual, Sequence)
        return all(any(_equal(each, one) for one in actual) for each in expected.contains)
    if isinstance(actual, str):
        return all(fold(str(each)) in fold(actual) for each in expected.contains)
    return False


def _found(pattern: str, text: str) -> bool:
    return bool(re.search(pattern, text) or re.search(pattern, fold(text)))


def _as_text(value: object) -> str:
    if _is_list(value):
        assert isinstance(value, Sequence)
        return " ".join(str(each) for each in value)
    return str(value)


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)
