"""How an expected value is written in a persona file: plainly, or as `any_of`, `regex` or
`contains`; each may carry a `level`."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

_MATCHER_KEYS = frozenset({"value", "any_of", "regex", "contains"})


class Level(StrEnum):
    """Whether a check that fails fails its persona."""

    HARD = "hard"
    SOFT = "soft"


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return pattern


Pattern = Annotated[str, AfterValidator(_compiles)]
"""A Python regular expression, checked when the file is read."""

Scalar = bool | int | float | str | None


class _Matcher(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    level: Level = Field(default=Level.HARD, strict=False)


class Exactly(_Matcher):
    """Equal, moments in time by the moment."""

    value: Scalar | tuple[Scalar, ...]


class AnyOf(_Matcher):
    """Equal to one of them."""

    any_of: tuple[Scalar, ...]


class Matches(_Matcher):
    """A pattern found in the value, as it stands or folded."""

    regex: Pattern


class Contains(_Matcher):
    """Every one of them among the values, or within the text."""

    contains: tuple[Scalar, ...]


def _as_matcher(written: Any) -> Any:
    if isinstance(written, dict):
        kinds = written.keys() - {"level"}
        if len(kinds) != 1 or not kinds <= _MATCHER_KEYS:
            raise ValueError(
                "expected a value or one of {value: ...}, {any_of: [...]}, {regex: ...}, {contains: [...]}"
            )
        return {key: _without_lists(value) for key, value in written.items()}
    return {"value": _without_lists(written)}


def _without_lists(written: Any) -> Any:
    return tuple(written) if isinstance(written, list) else written


Expected = Annotated[Exactly | AnyOf | Matches | Contains, BeforeValidator(_as_matcher)]


class Rule(BaseModel):
    """A check that is written as one word or pattern, or as `{name: ..., level: soft}`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    level: Level = Level.HARD


class PatternRule(Rule):
    """The same for a regular expression."""

    name: Pattern


def _as_rule(written: Any) -> Any:
    return {"name": written} if isinstance(written, str) else written


Named = Annotated[Rule, BeforeValidator(_as_rule)]
NamedPattern = Annotated[PatternRule, BeforeValidator(_as_rule)]
