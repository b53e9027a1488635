"""A line that is lost is looked after every second; here the seconds are short."""

from __future__ import annotations

import pytest

from media_service import reception


@pytest.fixture(autouse=True)
def _short_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reception, "LOOK_FOR_END_EVERY_S", 0.01)
