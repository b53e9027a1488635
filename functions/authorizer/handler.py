"""Lambda authorizer: a bearer key becomes a tenant and its scopes. Answers are cached for every route alike."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import Any

from functions.operator_log import operator_log
from shared.adapters import aws_clients
from shared.adapters.clock import clock_from
from shared.adapters.directory import Directory
from shared.config import environment, required
from shared.domain.clock import Clock
from shared.domain.errors import NotFound
from shared.domain.tenant import ApiKey


class Denial(StrEnum):
    """Why a request was not let in."""

    NO_KEY = "no_key"
    UNKNOWN_KEY = "unknown_key"
    REVOKED_KEY = "revoked_key"
    EXPIRED_KEY = "expired_key"


@cache
def compose() -> tuple[Directory, Clock]:
    directory = Directory(aws_clients.dynamodb(), required("DIRECTORY_TABLE"))
    return directory, clock_from(environment())


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Simple response of payload format 2.0."""
    scheme, _, text = (event.get("headers") or {}).get("authorization", "").partition(" ")
    route = str(event.get("routeKey", ""))
    if scheme.lower() != "bearer" or not text.startswith("sk_"):
        return _denied(Denial.NO_KEY, route)
    directory, clock = compose()
    try:
        key = directory.key(text)
    except NotFound:
        return _denied(Denial.UNKNOWN_KEY, route)
    if not key.is_valid(clock.now()):
        denial = Denial.EXPIRED_KEY if key.revoked_at is None else Denial.REVOKED_KEY
        return _denied(denial, route, key)
    scopes = " ".join(scope.value for scope in key.scopes)
    context = {"tenant_id": key.tenant_id, "scopes": scopes, "key_id": key.key_id}
    return {"isAuthorized": True, "context": context}


def _denied(denial: Denial, route: str, key: ApiKey | None = None) -> dict[str, Any]:
    """What was sent is not logged: a wrong key may be a right one of somewhere else."""
    fields = {
        "reason": denial.value,
        "route": route,
        "key_id": key.key_id if key else None,
        "tenant_id": key.tenant_id if key else None,
    }
    operator_log().warning("a key was not let in", extra=fields)
    return {"isAuthorized": False, "context": {}}
