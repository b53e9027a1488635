"""After an objection nobody keeps a promise of another call; a privacy request is owed all the same."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.domain.conversation import FollowUp, FollowUpKind
from shared.domain.outcome import SUPPRESSING, OptOut, Outcome
from shared.domain.promises import promises_after
from tests.sample_calls import ANALYSIS

ALL = tuple(FollowUp(kind.value, kind) for kind in FollowUpKind)


def standing(outcome: Outcome = Outcome.QUALIFIED, objected: bool = False) -> set[FollowUpKind]:
    analysis = replace(ANALYSIS, outcome=outcome, opt_out=OptOut(objected))
    return {promise.kind for promise in promises_after(ALL, analysis) if not promise.cancelled}


@pytest.mark.parametrize("outcome", sorted(SUPPRESSING))
def test_after_these_outcomes_a_privacy_request_alone_stands(outcome: Outcome) -> None:
    assert standing(outcome) == {FollowUpKind.PRIVACY_REQUEST}


def test_an_objection_ends_promises_whatever_else_came_of_the_call() -> None:
    assert standing(Outcome.QUALIFIED, objected=True) == {FollowUpKind.PRIVACY_REQUEST}


def test_every_other_outcome_leaves_the_promises_as_they_were() -> None:
    for outcome in set(Outcome) - SUPPRESSING:
        assert standing(outcome) == set(FollowUpKind)
    assert promises_after(ALL, None) == ALL


def test_what_was_taken_back_in_the_call_stays_taken_back() -> None:
    (promise,) = promises_after([replace(ALL[0], cancelled=True)], None)
    assert promise.cancelled
