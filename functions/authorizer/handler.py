"""Lambda authorizer: a bearer key becomes a tenant and its scopes. Answers are cached for every route alike."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from shared.adapters import aws_clients
from shared.adapters.clock import clock_from
from shared.adapters.directory import Directory
from shared.config import environment, required
from shared.domain.clock import Clock
from shared.domain.errors import NotFound

_DENIED: dict[str, Any] = {"isAuthorized": False, "context": {}}


@cache
def compose() -> tuple[Directory, Clock]:
    directory = Directory(aws_clients.dynamodb(), required("DIRECTORY_TABLE"))
    return directory, clock_from(environment())


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Simple response of payload format 2.0."""
    scheme, _, text = (event.get("headers") or {}).get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not text.startswith("sk_"):
        return _DENIED
    directory, clock = compose()
    try:
        key = directory.key(text)
    except NotFound:
        return _DENIED
    if not key.is_valid(clock.now()):
        return _DENIED
    scopes = " ".join(scope.value for scope in key.scopes)
    context = {"tenant_id": key.tenant_id, "scopes": scopes, "key_id": key.key_id}
    return {"isAuthorized": True, "context": context}
