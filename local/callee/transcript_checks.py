"""Checks on what the agent said, counting only what was heard."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from local.callee.call_report import CallReport, ReportedTurn, Who
from local.callee.checks import Check, CheckLevel, turn_moment
from local.callee.folding import fold, question_count, sentence_count, word_count
from local.callee.persona import Limits, MustNotSay, MustSay


@dataclass(frozen=True, slots=True)
class _NumberedTurn:
    number: int
    turn: ReportedTurn
    folded: str


def must_say(report: CallReport, expected: MustSay) -> Check:
    turns = _selected(report, expected.after_utterance, expected.within_agent_turn)
    found = {pattern: _find(pattern, turns) for pattern in (*expected.any, *expected.all)}
    any_holds = not expected.any or any(found[each].holds for each in expected.any)
    missing = [each for each in expected.all if not found[each].holds]
    passed = any_holds and not missing
    return Check(
        f"must_say.{expected.id}",
        CheckLevel(expected.level),
        passed,
        _first_moment(found.values()) if passed else _where(turns),
        "" if passed else _not_said(expected, missing, turns),
    )


def must_not_say(report: CallReport, expected: MustNotSay) -> Check:
    level = CheckLevel(expected.level)
    if not _was_said(report, expected.after_utterance):
        # Nothing was said after it, so nothing is known of what the agent would have said.
        detail = f"utterance {expected.after_utterance} was never said"
        return Check(f"must_not_say.{expected.id}", level, False, None, detail)
    turns = _selected(report, expected.after_utterance, None)
    found = [(each, _find(each, turns)) for each in expected.any]
    said = [(pattern, finding) for pattern, finding in found if finding.holds]
    pattern, finding = said[0] if said else ("", _Finding(False))
    return Check(
        f"must_not_say.{expected.id}",
        level,
        not said,
        finding.moment,
        f"said {finding.words!r}, which matches {pattern!r}" if said else "",
    )


def limits(report: CallReport, expected: Limits) -> Iterator[Check]:
    """One check for each limit that is set, except those on tools."""
    per_turn: tuple[tuple[str, int | None, Callable[[str], int]], ...] = (
        ("sentences_per_turn_max", expected.sentences_per_turn_max, sentence_count),
        ("words_per_turn_max", expected.words_per_turn_max, word_count),
        ("questions_per_turn_max", expected.questions_per_turn_max, question_count),
    )
    for name, allowed, count in per_turn:
        if allowed is not None:
            yield _turn_limit(report, expected, name, allowed, count)
    if expected.agent_turns_max is not None:
        taken = len(report.agent_turns)
        yield _limit(expected, "agent_turns_max", taken, expected.agent_turns_max)
    if expected.barge_in_stop_ms_max is not None:
        slowest = max((_or_never(each) for each in report.barge_in_stops_ms), default=0.0)
        yield _limit(expected, "barge_in_stop_ms_max", slowest, expected.barge_in_stop_ms_max)


def _or_never(stop_ms: int | None) -> float:
    return math.inf if stop_ms is None else stop_ms


def _turn_limit(
    report: CallReport, expected: Limits, name: str, allowed: int, count: Callable[[str], int]
) -> Check:
    level = CheckLevel(expected.level)
    counted = [(count(turn.heard), number, turn) for number, turn in _numbered(report)]
    over = [each for each in counted if each[0] > allowed]
    if not over:
        return Check(f"limit.{name}", level, True)
    worst, number, turn = max(over, key=lambda each: each[0])
    detail = f"{worst}, allowed {allowed}; {len(over)} turn(s) over the limit: {turn.heard!r}"
    return Check(f"limit.{name}", level, False, turn_moment(number, turn), detail)


def _limit(expected: Limits, name: str, measured: float, allowed: int) -> Check:
    passed = measured <= allowed
    shown = "never" if measured == math.inf else measured
    detail = "" if passed else f"{shown}, allowed {allowed}"
    return Check(f"limit.{name}", CheckLevel(expected.level), passed, None, detail)


@dataclass(frozen=True, slots=True)
class _Finding:
    holds: bool
    moment: str | None = None
    words: str = ""


def _find(pattern: str, turns: Sequence[_NumberedTurn]) -> _Finding:
    """The first turn that matches; else the turns as one text, for patterns that span several."""
    for each in turns:
        if match := re.search(pattern, each.folded):
            return _Finding(True, turn_moment(each.number, each.turn), match.group())
    if match := re.search(pattern, " ".join(each.folded for each in turns)):
        return _Finding(True, _where(turns), match.group())
    return _Finding(False)


def _numbered(report: CallReport) -> list[tuple[int, ReportedTurn]]:
    return list(enumerate(report.agent_turns, start=1))


def _selected(
    report: CallReport, after_utterance: int | None, within_agent_turn: int | None
) -> list[_NumberedTurn]:
    """The agent turns that count: begun after the utterance, no later than the turn allowed."""
    begun_after = _begun_after(report, after_utterance)
    last = _last_turn_allowed(report, within_agent_turn)
    return [
        _NumberedTurn(number, turn, fold(turn.heard))
        for number, turn in _numbered(report)
        if (last is None or number <= last) and any(turn is each for each in begun_after)
    ]


def _was_said(report: CallReport, utterance: int | None) -> bool:
    return not utterance or any(turn.utterance == utterance for turn in report.turns)


def _begun_after(report: CallReport, utterance: int | None) -> Sequence[ReportedTurn]:
    if not utterance:
        return report.turns
    for index, turn in enumerate(report.turns):
        if turn.who is Who.CALLEE and turn.utterance == utterance:
            return report.turns[index + 1 :]
    return ()


def _last_turn_allowed(report: CallReport, within: int | None) -> int | None:
    """`within`, and one more for each of these turns that was interrupted."""
    if within is None:
        return None
    allowed = within
    for number, turn in _numbered(report):
        if number > allowed:
            break
        allowed += turn.interrupted
    return allowed


def _first_moment(findings: Iterable[_Finding]) -> str | None:
    return next((each.moment for each in findings if each.holds), None)


def _where(turns: Sequence[_NumberedTurn]) -> str | None:
    if not turns:
        return None
    first, last = turns[0], turns[-1]
    if first is last:
        return turn_moment(first.number, first.turn)
    return f"agent turns {first.number} to {last.number}"


def _not_said(expected: MustSay, missing: Sequence[str], turns: Sequence[_NumberedTurn]) -> str:
    wanted = missing or expected.any
    where = "in none of the turns that count" if turns else "and no turn counts"
    return f"nothing matches {' or '.join(repr(each) for each in wanted)} {where}"
