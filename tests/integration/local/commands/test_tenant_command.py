"""./sofia tenant against the API over real HTTP."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from local.api_client import Api, ApiError
from local.cloud.gateway import Gateway
from local.cloud.invoke import Invoker
from local.cloud.template import Route, Template
from local.commands import tenant
from shared.adapters import aws_clients
from shared.adapters.directory import Directory, bootstrap_administrator
from tests.integration.functions.stage import NOW

FACTS = {
    "company": "Nubelia",
    "product": "una agenda para salones",
    "human_name": "Laura",
    "human_hours": "de nueve a siete",
    "contact_phone_spoken": "nueve uno cero",
    "website": "nubelia.example",
    "privacy_email": "privacidad@nubelia.example",
}


@pytest.fixture
async def admin(template: Template) -> AsyncIterator[Api]:
    invoker = Invoker(template.functions())
    routes = [event for event in template.events() if isinstance(event, Route)]
    gateway = Gateway(routes, template.authorizer(), invoker)
    await gateway.start()
    directory = Directory(aws_clients.dynamodb(), template.physical["DirectoryTable"])
    yield Api(gateway.url, bootstrap_administrator(directory, NOW))
    await gateway.stop()
    invoker.stop()


async def act(admin: Api, *words: str) -> Any:
    parser = argparse.ArgumentParser()
    tenant.add_arguments(parser)
    return await asyncio.to_thread(tenant._act, admin, parser.parse_args(words))


async def test_a_key_each_time_it_is_asked_for(admin: Api) -> None:
    await act(admin, "create", "t-command", "--name", "Nubelia")
    first, second = [await act(admin, "key", "t-command") for _ in range(2)]
    assert first["key"] != second["key"]
    assert first["scopes"] == ["calls:write", "calls:read"]


async def test_a_file_of_facts_may_carry_settings(admin: Api, tmp_path: Path) -> None:
    await act(admin, "create", "t-file", "--name", "Nubelia")
    file = tmp_path / "facts.json"
    file.write_text(json.dumps({**FACTS, "settings": {"voice": "cedar"}}), encoding="utf-8")
    agent = await act(admin, "facts", "t-file", str(file))
    assert (agent["version"], agent["settings"]["voice"]) == (1, "cedar")
    file.write_text(json.dumps({**FACTS, "settings": {"vioce": "cedar"}}), encoding="utf-8")
    with pytest.raises(ApiError) as refused:
        await act(admin, "facts", "t-file", str(file))
    assert refused.value.body["errors"][0]["field"] == "settings.vioce"
