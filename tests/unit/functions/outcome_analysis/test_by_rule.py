"""Calls without a conversation: no model is asked, and the outcome follows from what carrier and engine said."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from functions.outcome_analysis.by_rule import analysis_by_rule
from shared.domain.call import Fact, FactKind
from shared.domain.outcome import Flag, OptOut, Outcome
from tests.sample_calls import CREATED, TALKED, a_call
from tests.unit.functions.outcome_analysis.analysed import NOW, a_talk

DIALLED = (FactKind.QUEUED, 0), (FactKind.DIAL_INTENT, 1)
NOBODY = OptOut(False)


@pytest.mark.parametrize(
    ("kinds", "lines", "outcome", "flags"),
    [
        ((*DIALLED, (FactKind.NO_ANSWER, 30)), (), Outcome.NO_ANSWER, set()),
        ((*DIALLED, (FactKind.BUSY, 3)), (), Outcome.BUSY, set()),
        ((*DIALLED, (FactKind.FAILED, 3)), (), Outcome.FAILED, set()),
        ((*DIALLED, (FactKind.DIAL_REFUSED, 3)), (), Outcome.FAILED, set()),
        (((FactKind.QUEUED, 0), (FactKind.CANCELED, 1)), (), Outcome.CANCELED, set()),
        ((*DIALLED, (FactKind.LOST, 99)), (), Outcome.INCONCLUSIVE, set()),
        ((*TALKED, (FactKind.VOICEMAIL, 20)), ("P: Deje su mensaje.",), Outcome.VOICEMAIL, set()),
        (TALKED, (), Outcome.INCONCLUSIVE, set()),
        (TALKED, ("S: Hola, soy Sofía.",), Outcome.INCONCLUSIVE, set()),
        (TALKED, ("P: ", "S: Hola."), Outcome.INCONCLUSIVE, {Flag.AUDIO_PROBLEM}),
        ((*TALKED, (FactKind.DROPPED, 20)), (), Outcome.INCONCLUSIVE, {Flag.AGENT_ERROR}),
    ],
)  # fmt: skip
def test_an_outcome_by_rule(
    kinds: tuple[tuple[FactKind, int], ...],
    lines: tuple[str, ...],
    outcome: Outcome,
    flags: set[Flag],
) -> None:
    analysis = analysis_by_rule(a_talk(lines, kinds=kinds), NOBODY, NOW)
    assert analysis is not None
    assert (analysis.outcome, set(analysis.flags)) == (outcome, flags)
    assert (analysis.model, dict(analysis.fields), analysis.summary) == ("rule", {}, "")


def test_a_machine_that_said_nothing_is_told_by_the_carriers_verdict() -> None:
    at = CREATED + timedelta(seconds=15)
    verdict = Fact(at, FactKind.MACHINE_VERDICT, 1, "twilio", "machine_start")
    whole = replace(a_talk(()), call=a_call().with_fact(verdict))
    analysis = analysis_by_rule(whole, NOBODY, NOW)
    assert analysis is not None
    assert analysis.outcome is Outcome.VOICEMAIL


def test_an_objection_on_record_counts_without_words() -> None:
    analysis = analysis_by_rule(a_talk(()), OptOut(True, "tenant", "…"), NOW)
    assert analysis is not None
    assert analysis.outcome is Outcome.DO_NOT_CALL


def test_where_somebody_spoke_there_is_something_to_read() -> None:
    assert analysis_by_rule(a_talk(("P: ¿Diga?",)), NOBODY, NOW) is None
