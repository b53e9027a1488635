"""Runs of personas, as the bench counts and passes them on."""

from __future__ import annotations

import json

from local.callee.checks import Check, CheckLevel
from local.persona_runs import Run

RUN = Run(
    "p01",
    [
        Check("a", CheckLevel.HARD, True),
        Check("b", CheckLevel.SOFT, False, "agent turn 1 at 2.0 s", "said too much"),
        Check("judge.call", CheckLevel.JUDGE, None, None, "¿Trata de usted?"),
    ],
    {"call_id": "C1"},
)


def test_a_run_survives_the_way_from_one_process_to_another() -> None:
    assert Run.from_json(json.loads(json.dumps(RUN.as_json()))) == RUN


def test_soft_failures_and_open_questions_are_counted_and_fail_nothing() -> None:
    assert RUN.passed
    assert (RUN.failed(CheckLevel.HARD), RUN.failed(CheckLevel.SOFT)) == ([], ["b"])
    assert RUN.undecided == 1
    assert RUN.as_json()["call_id"] == "C1"
