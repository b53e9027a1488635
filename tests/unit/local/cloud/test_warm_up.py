"""Handlers are imported before their first event, each in its function's environment."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

from local.cloud.declarations import Function
from local.cloud.invoke import Invoker

PROBE = """
from shared.config import required
IMPORTED_BY = required("WHO")
"""


def function(module: str, who: str) -> Function:
    return Function(
        logical_id=who,
        handler=f"{module}.handler",
        timeout_s=3,
        memory_mb=128,
        environment={"WHO": who},
    )


async def test_handlers_are_imported_in_their_own_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("warm_one", "warm_two"):
        (tmp_path / f"{name}.py").write_text(PROBE)
        monkeypatch.delitem(sys.modules, name, raising=False)
    wanted = {
        "One": function("warm_one", "one"),
        "Gone": function("warm_gone", "gone"),
        "Two": function("warm_two", "two"),
    }
    invoker = Invoker(wanted)
    invoker.warm_up()
    for thread in threading.enumerate():
        if thread.name == "warm-up":
            thread.join()
    invoker.stop()
    found = {name: sys.modules[name].IMPORTED_BY for name in ("warm_one", "warm_two")}
    assert found == {"warm_one": "one", "warm_two": "two"}
