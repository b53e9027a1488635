"""What the media service must be told."""

from __future__ import annotations

import pytest

from media_service.settings import Settings
from shared.config import SettingError

REQUIRED = {
    "LIVE_TABLE": "live",
    "LEADS_TABLE": "leads",
    "DIRECTORY_TABLE": "directory",
    "SOUNDS_BUCKET": "sounds",
    "PUBLIC_STREAM_URL": "wss://media.example/media",
    "TWILIO_SECRET_ID": "twilio",
    "OPENAI_SECRET_ID": "openai",
    "SIGNING_SECRET_ID": "signing",
}
OPTIONAL = ("HOST", "PORT", "TASK_ID", "OPENAI_REALTIME_URL", "TWILIO_API_BASE_URL")
NUMBERS = ("MAX_CALLS", "MAX_LAG_MS", "DRAIN_S")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*OPTIONAL, *NUMBERS):
        monkeypatch.delenv(name, raising=False)
    for name, value in REQUIRED.items():
        monkeypatch.setenv(name, value)


def test_what_is_not_said_has_a_default() -> None:
    settings = Settings.from_environment()
    assert (settings.port, settings.max_calls, settings.drain_s) == (8080, 100, 110)
    assert settings.realtime_url == "wss://api.openai.com/v1"
    assert settings.twilio_api_url is None


def test_an_empty_address_is_the_real_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_REALTIME_URL", "")
    assert Settings.from_environment().realtime_url == "wss://api.openai.com/v1"


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_one_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(name)
    with pytest.raises(SettingError, match=name):
        Settings.from_environment()


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", ["many", "-1", "1.5", "²"])
def test_a_number_that_is_none_stops_the_start(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingError, match=name):
        Settings.from_environment()
