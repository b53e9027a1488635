"""What an HTTP API with CORS adds to answers, and how it answers preflights without asking anybody."""

from __future__ import annotations

from collections.abc import Mapping

from local.cloud.declarations import Cors
from local.cloud.http_answer import HttpAnswer


def preflight(cors: Cors, method: str, headers: Mapping[str, str]) -> HttpAnswer | None:
    """The answer to a preflight, None where the request is none."""
    if method != "OPTIONS" or "origin" not in headers:
        return None
    if "access-control-request-method" not in headers:
        return None
    allowed = list(allow(cors, headers))
    if allowed:
        if cors.allow_methods:
            allowed.append(("access-control-allow-methods", ",".join(cors.allow_methods)))
        if cors.allow_headers:
            allowed.append(("access-control-allow-headers", ",".join(cors.allow_headers)))
        if cors.max_age_s is not None:
            allowed.append(("access-control-max-age", str(cors.max_age_s)))
    return HttpAnswer(204, tuple(allowed), b"")


def allow(cors: Cors, headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The headers that let the request's origin read the answer; none where it may not."""
    origin = headers.get("origin")
    if origin is None or not (origin in cors.allow_origins or "*" in cors.allow_origins):
        return ()
    allowed = [("access-control-allow-origin", "*" if "*" in cors.allow_origins else origin)]
    if cors.allow_credentials:
        allowed.append(("access-control-allow-credentials", "true"))
    if cors.expose_headers:
        allowed.append(("access-control-expose-headers", ",".join(cors.expose_headers)))
    return tuple(allowed)
