"""One emulated AWS for all integration tests, provisioned from the project's template."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.cloud.ministack import MiniStack
from local.cloud.provision import provision
from local.cloud.template import Template

ROOT = Path(__file__).parents[2]
ACCOUNT_SID, AUTH_TOKEN = "AC" + "0" * 32, "token"
SECRETS = {
    "TwilioSecret": {"account_sid": ACCOUNT_SID, "auth_token": AUTH_TOKEN},
    "OpenAiSecret": {"api_key": "local"},
    "SigningSecret": {"stream_token": "s" * 32, "suppression": "h" * 32},
}
PARAMETERS = {
    "Stage": "test",
    "PublicBaseUrl": "https://api.sofia.test",
    "PublicStreamUrl": "wss://media.sofia.test/media",
    # Nobody listens there: a dial must not leave the machine.
    "TwilioApiBaseUrl": "http://127.0.0.1:9",
}


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Template]:
    ministack = MiniStack(tmp_path_factory.mktemp("ministack"))
    ministack.start()
    before = dict(os.environ)
    os.environ.update(ministack.environment())
    found = Template(ROOT / "template.yaml", PARAMETERS)
    provision(found, SECRETS)
    yield found
    os.environ.clear()
    os.environ.update(before)
    ministack.stop()
