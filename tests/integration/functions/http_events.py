"""Requests as the API hands them to a function, by the template's own routes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from local.cloud.routing import Router
from local.cloud.template import Route, Template

TEMPLATE = Path(__file__).parents[3] / "template.yaml"


@cache
def _router() -> Router:
    template = Template(TEMPLATE, {"PublicBaseUrl": "https://a", "PublicStreamUrl": "wss://a"})
    return Router([event for event in template.events() if isinstance(event, Route)])


def api_event(
    method: str,
    path: str,
    tenant_id: str,
    scopes: str,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """An event of payload format 2.0 for a caller whom the authorizer let in."""
    match = _router().find(method, path)
    assert match is not None, f"the template has no route for {method} {path}"
    return {
        "routeKey": match.route.key,
        "rawPath": path,
        "headers": dict(headers or {}),
        "queryStringParameters": dict(query or {}),
        "pathParameters": match.parameters,
        "requestContext": {
            "http": {"method": method},
            "authorizer": {"lambda": {"tenant_id": tenant_id, "scopes": scopes}},
        },
        "body": json.dumps(body) if body is not None else None,
    }
