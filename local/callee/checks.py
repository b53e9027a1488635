"""The result of one expectation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from local.callee.call_report import ReportedTurn


class CheckLevel(StrEnum):
    HARD = "hard"
    SOFT = "soft"
    """Counted and shown, but does not fail the persona."""
    JUDGE = "judge"
    """A question for a judge; listed, not decided."""


@dataclass(frozen=True, slots=True)
class Check:
    """`passed` is None when nobody decided. `moment` says where in the call, if somewhere."""

    id: str
    level: CheckLevel
    passed: bool | None
    moment: str | None = None
    detail: str = ""


def persona_passes(checks: Sequence[Check]) -> bool:
    """Whether every hard check holds."""
    return all(check.passed for check in checks if check.level is CheckLevel.HARD)


def turn_moment(number: int, turn: ReportedTurn) -> str:
    """`agent turn 3 at 12.3 s`."""
    return f"agent turn {number} at {turn.started_ms / 1_000:.1f} s"
