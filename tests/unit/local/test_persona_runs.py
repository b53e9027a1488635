"""Runs of personas, as the bench counts and passes them on."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from local.callee.checks import Check, CheckLevel
from local.persona_runs import Run, RunsLost, side_by_side

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


@pytest.fixture
def player(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program in the place of the process that plays: it breaks down where p09 is among its personas."""
    body = json.dumps({"mind": "script", "ears": "text", "calls": [RUN.as_json()]})
    program = tmp_path / "python"
    program.write_text(
        f"#!/bin/sh\ncase \"$*\" in *p09*) exit 7 ;; esac\ncat <<'END'\n{body}\nEND\n"
    )
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))


@pytest.mark.usefixtures("player")
async def test_a_share_that_is_lost_fails_its_own_personas_and_no_other() -> None:
    about, runs = await side_by_side([["p08", "p09"], ["p01"]], [])
    assert about == {"mind": "script", "ears": "text"}
    assert [(run.persona, run.passed) for run in runs] == [
        ("p08", False),
        ("p09", False),
        ("p01", True),
    ]
    assert "status 7" in runs[0].checks[0].detail


@pytest.mark.usefixtures("player")
async def test_shares_that_are_all_lost_are_an_error() -> None:
    with pytest.raises(RunsLost):
        await side_by_side([["p09"]], [])
