"""Functions' output goes to files of their own, everybody else's where it went before."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from local.cloud.function_log import FunctionLogs


def test_what_a_function_prints_and_logs_goes_to_its_file(tmp_path: Path) -> None:
    logs = FunctionLogs(tmp_path / "functions")
    logs.open()
    with logs.of("DialerFn"):
        print("dialling")
        logging.getLogger("dialer").warning("slow")
    with logs.of("HistoryFn"):
        print("writing")
    logs.note("DialerFn", "REPORT\n")
    logs.close()
    dialer = (tmp_path / "functions" / "DialerFn.log").read_text()
    assert dialer.startswith("dialling\nWARNING dialer: slow\n")
    assert dialer.endswith(" REPORT\n")
    assert (tmp_path / "functions" / "HistoryFn.log").read_text() == "writing\n"


def test_everybody_else_prints_as_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs = FunctionLogs(tmp_path / "functions")
    logs.open()
    print("mine")
    with logs.of("DialerFn"):
        print("the function's")
    print("mine again")
    logs.close()
    assert capsys.readouterr().out == "mine\nmine again\n"


def test_without_a_folder_the_output_is_dropped(capsys: pytest.CaptureFixture[str]) -> None:
    logs = FunctionLogs(None)
    logs.open()
    with logs.of("DialerFn"):
        print("dropped")
    logs.close()
    assert capsys.readouterr().out == ""
