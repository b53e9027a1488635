"""From nothing to a tenant that may call, by an administrator's key alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from ulid import ULID

from functions.authorizer import handler as authorizer
from functions.tenants import handler as tenants
from functions.tenants.app import Office
from local.cloud.template import Template
from shared.adapters import aws_clients
from shared.adapters.directory import Directory, bootstrap_administrator, create_key
from shared.adapters.opening_studio import OpeningStudio
from shared.adapters.sounds import OpeningClips
from shared.config import use_environment
from shared.domain.agent import Agent
from shared.domain.opening_clip import Clause, OpeningClip
from shared.domain.tenant import CallerId, Scope
from tests.integration.functions.stage import NOW, SetClock

FACTS = {
    "company": "Nubelia",
    "product": "una agenda para salones",
    "human_name": "Laura",
    "human_hours": "de nueve a siete",
    "contact_phone_spoken": "nueve uno cero",
    "website": "nubelia.example",
    "privacy_email": "privacidad@nubelia.example",
}


class QuickStudio:
    """Stands in for the model's voice, which another test hears."""

    def __init__(self) -> None:
        self.spoken = 0

    def speak(self, agent: Agent) -> OpeningClip:
        self.spoken += 1
        text = agent.opening.text
        return OpeningClip(text, b"\xff" * 800, (Clause(text, 0, 100, ()),))


@pytest.fixture
def directory(template: Template) -> Directory:
    return Directory(aws_clients.dynamodb(), template.physical["DirectoryTable"])


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def studio() -> QuickStudio:
    return QuickStudio()


@pytest.fixture
def office(
    template: Template, directory: Directory, clock: SetClock, studio: QuickStudio
) -> Iterator[Office]:
    clips = OpeningClips(aws_clients.s3(), template.physical["SoundsBucket"])

    def speaking() -> OpeningStudio:
        return studio  # type: ignore[return-value]

    yield Office(clock, directory, clips, speaking)


@pytest.fixture
def tenant_id() -> str:
    return f"t-{str(ULID()).lower()}"


@pytest.fixture
def ask(office: Office, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(tenants, "compose", lambda: office)

    def asked(method: str, path: str, body: Any = None, scopes: str = "admin") -> Any:
        parts = path.strip("/").split("/")
        event = {
            "routeKey": f"{method} {path}",
            "rawPath": path,
            "headers": {},
            "pathParameters": {"tenant_id": parts[2]} if len(parts) > 2 else None,
            "requestContext": {
                "http": {"method": method},
                "authorizer": {"lambda": {"tenant_id": "sofia-administration", "scopes": scopes}},
            },
            "body": json.dumps(body) if body is not None else None,
        }
        answer = tenants.handler(event, None)
        return answer["statusCode"], json.loads(answer["body"])

    return asked


def test_from_nothing_to_an_approved_opening(
    ask: Any, tenant_id: str, directory: Directory, studio: QuickStudio
) -> None:
    path = f"/v1/tenants/{tenant_id}"
    assert ask("POST", "/v1/tenants", {"tenant_id": tenant_id, "name": "Nubelia"})[0] == 201
    assert ask("POST", f"{path}/caller-ids", {"number": "+34 400 000 012"}) == (
        201,
        {"number": "+34400000012", "type": "commercial_400"},
    )
    status, agent = ask("PUT", f"{path}/facts", FACTS)
    assert (status, agent["version"], agent["approved"]) == (201, 1, False)
    assert ask("GET", f"{path}/agents/sofia") == (200, agent)
    for _ in range(2):
        status, approved = ask("POST", f"{path}/agents/sofia/opening/approval", {"version": 1})
        assert (status, approved["approved"], approved["opening_ms"]) == (200, True, 100)
    assert studio.spoken == 1
    status, key = ask("POST", f"{path}/keys", {"scopes": ["calls:write", "calls:read"]})
    assert (status, key["key"][:3]) == (201, "sk_")
    status, tenant = ask("GET", path)
    assert (tenant["current_agent"], tenant["active"]) == ("sofia", True)
    assert directory.agent(tenant_id, "sofia", 1).opening.approved_at == NOW


def test_new_facts_are_a_new_version_and_the_old_one_stays(
    ask: Any, tenant_id: str, directory: Directory
) -> None:
    ask("POST", "/v1/tenants", {"tenant_id": tenant_id, "name": "Nubelia"})
    path = f"/v1/tenants/{tenant_id}"
    ask("PUT", f"{path}/facts", FACTS)
    ask("POST", f"{path}/agents/sofia/opening/approval", {"version": 1})
    _, second = ask("PUT", f"{path}/facts", {**FACTS, "company": "Otra"})
    assert (second["version"], second["approved"]) == (2, False)
    assert "Otra" in second["opening"]
    assert directory.agent(tenant_id, "sofia", 1).facts.company == "Nubelia"


def test_an_id_is_given_once(ask: Any, tenant_id: str) -> None:
    body = {"tenant_id": tenant_id, "name": "Nubelia"}
    assert ask("POST", "/v1/tenants", body)[0] == 201
    assert ask("POST", "/v1/tenants", body)[0] == 409


@pytest.mark.parametrize(
    ("number", "field"),
    [("+34600000001", "number"), ("+34910000001", "number"), ("600", "number")],
)
def test_a_number_that_could_never_be_shown_is_refused_at_once(
    ask: Any, tenant_id: str, number: str, field: str
) -> None:
    ask("POST", "/v1/tenants", {"tenant_id": tenant_id, "name": "Nubelia"})
    status, problem = ask("POST", f"/v1/tenants/{tenant_id}/caller-ids", {"number": number})
    assert (status, problem["errors"][0]["field"]) == (400, field)
    assert number not in json.dumps(problem)


def test_a_tenant_that_is_not_bound_to_400_numbers_may_show_a_landline(
    ask: Any, tenant_id: str
) -> None:
    body = {"tenant_id": tenant_id, "name": "Nubelia", "must_use_400": False}
    ask("POST", "/v1/tenants", body)
    status, shown = ask("POST", f"/v1/tenants/{tenant_id}/caller-ids", {"number": "+34910000001"})
    assert (status, shown["type"]) == (201, "geographic")


def test_changes_keep_what_they_do_not_name(ask: Any, tenant_id: str) -> None:
    body = {"tenant_id": tenant_id, "name": "Nubelia", "concurrency": 7, "countries": ["+34"]}
    ask("POST", "/v1/tenants", body)
    status, tenant = ask("PATCH", f"/v1/tenants/{tenant_id}", {"active": False})
    assert (status, tenant["active"], tenant["concurrency"]) == (200, False, 7)


def test_changes_at_once_lose_nothing(directory: Directory, ask: Any, tenant_id: str) -> None:
    ask("POST", "/v1/tenants", {"tenant_id": tenant_id, "name": "Nubelia"})

    def add(n: int) -> None:
        number = CallerId(f"+3440000000{n}")
        directory.change_tenant(
            tenant_id, lambda tenant: replace(tenant, caller_ids=(*tenant.caller_ids, number))
        )

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(add, range(3)))
    assert len(directory.tenant(tenant_id).caller_ids) == 3


def test_only_administrators_may(ask: Any, tenant_id: str) -> None:
    body = {"tenant_id": tenant_id, "name": "Nubelia"}
    assert ask("POST", "/v1/tenants", body, scopes="calls:write calls:read")[0] == 403


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/v1/tenants/t-nobody", None, 404),
        ("PUT", "/v1/tenants/t-nobody/facts", FACTS, 404),
        ("POST", "/v1/tenants/t-nobody/keys", {"scopes": ["calls:read"]}, 404),
        ("POST", "/v1/tenants/t-nobody/keys", {"scopes": []}, 400),
        ("POST", "/v1/tenants/t-nobody/keys", {"scopes": ["everything"]}, 400),
        ("DELETE", "/v1/tenants/t-nobody/keys/key_1", None, 404),
        ("POST", "/v1/tenants", {"tenant_id": "Not An Id", "name": "x"}, 400),
        ("POST", "/v1/tenants", {"tenant_id": "ok-id", "name": "x", "concurrency": 0}, 400),
    ],
)
def test_what_does_not_exist_or_is_wrong(
    ask: Any, method: str, path: str, body: Any, status: int
) -> None:
    assert ask(method, path, body)[0] == status


def allowed(template: Template, key: str, clock: SetClock, monkeypatch: Any) -> dict[str, Any]:
    directory = Directory(aws_clients.dynamodb(), template.physical["DirectoryTable"])
    monkeypatch.setattr(authorizer, "compose", lambda: (directory, clock))
    return authorizer.handler({"headers": {"authorization": f"Bearer {key}"}}, None)


def test_a_key_works_until_it_is_revoked(
    template: Template, ask: Any, tenant_id: str, clock: SetClock, monkeypatch: Any
) -> None:
    ask("POST", "/v1/tenants", {"tenant_id": tenant_id, "name": "Nubelia"})
    path = f"/v1/tenants/{tenant_id}/keys"
    _, made = ask("POST", path, {"scopes": ["calls:read"]})
    verdict = allowed(template, made["key"], clock, monkeypatch)
    assert verdict["isAuthorized"]
    assert verdict["context"] == {
        "tenant_id": tenant_id,
        "scopes": "calls:read",
        "key_id": made["key_id"],
    }
    assert ask("DELETE", f"{path}/{made['key_id']}")[0] == 200
    assert not allowed(template, made["key"], clock, monkeypatch)["isAuthorized"]
    _, listed = ask("GET", path)
    assert listed["keys"][0]["revoked_at"] == NOW.isoformat()
    assert "key_hash" not in json.dumps(listed)
    assert made["key"] not in json.dumps(listed)


def test_a_key_ends_on_its_day(
    template: Template, ask: Any, tenant_id: str, clock: SetClock, monkeypatch: Any
) -> None:
    ask("POST", "/v1/tenants", {"tenant_id": tenant_id, "name": "Nubelia"})
    expires_at = (NOW + timedelta(days=1)).isoformat()
    body = {"scopes": ["calls:read"], "expires_at": expires_at}
    _, made = ask("POST", f"/v1/tenants/{tenant_id}/keys", body)
    assert allowed(template, made["key"], clock, monkeypatch)["isAuthorized"]
    clock.forward(86_400)
    assert not allowed(template, made["key"], clock, monkeypatch)["isAuthorized"]


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer sk_", "Basic sk_x", "sk_x"])
def test_what_is_no_key_is_denied(
    template: Template, header: str, clock: SetClock, monkeypatch: Any, directory: Directory
) -> None:
    monkeypatch.setattr(authorizer, "compose", lambda: (directory, clock))
    assert not authorizer.handler({"headers": {"authorization": header}}, None)["isAuthorized"]


def test_a_fresh_stack_gets_its_first_administrator(
    template: Template, directory: Directory, clock: SetClock, monkeypatch: Any
) -> None:
    keys = [bootstrap_administrator(directory, NOW) for _ in range(2)]
    assert keys[0] != keys[1]
    for key in keys:
        assert allowed(template, key, clock, monkeypatch)["context"]["scopes"] == "admin"


def test_keys_are_stored_by_their_hash_alone(template: Template, directory: Directory) -> None:
    text, _ = create_key(directory, "t-hashed", (Scope.CALLS_READ,), NOW)
    items = aws_clients.dynamodb().scan(TableName=template.physical["DirectoryTable"])["Items"]
    assert text not in json.dumps(items)


def test_settings_are_read_when_first_asked(template: Template) -> None:
    tenants.compose.cache_clear()
    with use_environment(template.functions()["TenantsFn"].environment):
        assert isinstance(tenants.compose(), Office)
    tenants.compose.cache_clear()
