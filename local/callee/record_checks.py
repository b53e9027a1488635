"""Checks on what the call left behind: outcome, flags, fields, state, and what may not be
stored."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from local.callee.call_report import CallReport
from local.callee.checks import Check, CheckLevel
from local.callee.folding import fold
from local.callee.matching import Expected, PatternRule
from local.callee.persona import Expectations, FinalState
from local.callee.value_matching import described, look_up, matches


def outcome(report: CallReport, expected: Expectations) -> Iterator[Check]:
    """The outcome code, if one is expected, and each flag."""
    first = () if expected.outcome is None else (expected.outcome.name,)
    accepted = (*first, *expected.outcome_ok)
    if accepted:
        passed = report.outcome in accepted
        detail = "" if passed else f"{report.outcome!r}, expected {' or '.join(accepted)}"
        level = CheckLevel(expected.outcome.level) if expected.outcome else CheckLevel.HARD
        yield Check("outcome", level, passed, None, detail)
    for flag in expected.flags:
        present = flag.name in report.flags
        detail = "" if present else f"not set; set are: {', '.join(sorted(report.flags)) or 'none'}"
        yield Check(f"flag.{flag.name}", CheckLevel(flag.level), present, None, detail)


def extracted(report: CallReport, expected: Mapping[str, Expected]) -> Iterator[Check]:
    for name, wanted in expected.items():
        actual = look_up(report.extracted, name)
        passed = matches(wanted, actual)
        detail = "" if passed else f"{actual!r}, expected {described(wanted)}"
        yield Check(f"extract.{name}", CheckLevel(wanted.level), passed, None, detail)


def final_state(report: CallReport, expected: FinalState) -> Iterator[Check]:
    pairs = (
        ("suppressed", expected.suppressed, report.suppressed),
        ("active_callbacks", expected.active_callbacks, report.active_callbacks),
    )
    for name, wanted, actual in pairs:
        if wanted is not None:
            passed = wanted == actual
            detail = "" if passed else f"{actual!r}, expected {wanted!r}"
            yield Check(f"final_state.{name}", CheckLevel(expected.level), passed, None, detail)


def must_not_store(report: CallReport, rules: tuple[PatternRule, ...]) -> Iterator[Check]:
    for rule in rules:
        found = {each.place for each in report.stored if re.search(rule.name, fold(each.text))}
        detail = f"stored in {', '.join(sorted(found))}" if found else ""
        level = CheckLevel(rule.level)
        yield Check(f"must_not_store.{rule.name}", level, not found, None, detail)
