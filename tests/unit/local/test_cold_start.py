"""The functions that are measured are those of the template."""

from __future__ import annotations

import argparse

import pytest

from local.cold_start import function_names
from local.commands import bench


def test_every_function_that_is_deployed_is_measured() -> None:
    names = function_names()
    assert len(names) == len(set(names)) >= 10
    assert set(bench.WEBHOOKS) <= set(names)


@pytest.mark.parametrize("count", ["0", "-1", "many"])
@pytest.mark.parametrize("option", ["--runs", "--at-once"])
def test_a_bench_of_nothing_is_refused(
    option: str, count: str, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = argparse.ArgumentParser()
    bench.add_arguments(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(["personas", option, count])
    assert "number" in capsys.readouterr().err or count == "-1"
