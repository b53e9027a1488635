"""The functions that are measured are those of the template."""

from __future__ import annotations

import argparse

import pytest

from local.cloud.state import PROJECT
from local.cold_start import function_names
from local.commands import bench


def test_every_function_that_is_deployed_is_measured() -> None:
    handlers = (PROJECT / "functions").glob("*/handler.py")
    assert sorted(function_names()) == sorted(handler.parent.name for handler in handlers)


def test_every_function_that_must_start_fast_is_one_that_is_deployed() -> None:
    assert set(bench.WEBHOOKS) <= set(function_names())


@pytest.mark.parametrize("count", ["0", "-1", "many"])
@pytest.mark.parametrize("option", ["--runs", "--at-once"])
def test_a_bench_of_nothing_is_refused(
    option: str, count: str, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = argparse.ArgumentParser()
    bench.add_arguments(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(["personas", option, count])
    assert f"argument {option}: give a number from 1 on" in capsys.readouterr().err
