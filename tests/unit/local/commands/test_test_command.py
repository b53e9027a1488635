"""What ./sofia test runs."""

from __future__ import annotations

import argparse

import pytest

from local.commands.test import KINDS, LINTERS, SIDE_BY_SIDE, add_arguments, run, steps


def options(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(arguments)


def test_everything_by_default() -> None:
    small = ("pytest", *SIDE_BY_SIDE, "tests/unit", "tests/integration")
    assert steps(KINDS, None) == [*LINTERS, small, ("pytest", "tests/e2e")]


def test_an_expression_selects_tests_and_leaves_linters_out() -> None:
    assert steps(["lint", "unit"], "playout") == [
        ("pytest", *SIDE_BY_SIDE, "tests/unit", "-k", "playout")
    ]


def test_nothing_to_run_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(options("--only", "lint", "-k", "playout")) == 1
    assert "nothing to run" in capsys.readouterr().err
