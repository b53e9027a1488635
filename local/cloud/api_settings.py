"""Settings of the HTTP API in SAM's words: authorizers, throttling, CORS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.cloud.declarations import Authorizer, Cors, Stage, TemplateError
from local.cloud.event_sources import throttle
from local.cloud.intrinsics import named_resource

API_ID = "local"


def authorizers(api: Mapping[str, Any]) -> dict[str, Authorizer]:
    """By name; raises TemplateError for what is no Lambda authorizer with simple responses."""
    auth = api.get("Auth") or {}
    declared = auth.get("Authorizers") or {}
    default = auth.get("DefaultAuthorizer")
    if default is not None and default not in declared:
        raise TemplateError(f"HttpApi: the default authorizer {default} is not declared")
    return {name: _authorizer(name, settings) for name, settings in declared.items()}


def _authorizer(name: str, settings: Mapping[str, Any]) -> Authorizer:
    where = f"HttpApi: the authorizer {name}"
    if "FunctionArn" not in settings:
        raise TemplateError(f"{where}: only Lambda authorizers are understood")
    if str(settings.get("AuthorizerPayloadFormatVersion")) != "2.0":
        raise TemplateError(f"{where}: AuthorizerPayloadFormatVersion 2.0 is needed")
    if settings.get("EnableSimpleResponses") is not True:
        raise TemplateError(f"{where}: EnableSimpleResponses is needed")
    identity = settings.get("Identity") or {}
    unknown = set(identity) - {"Headers", "QueryStrings", "ReauthorizeEvery"}
    if unknown:
        raise TemplateError(f"{where}: Identity holds {', '.join(sorted(unknown))}: not understood")
    return Authorizer(
        name=name,
        function=named_resource(settings["FunctionArn"], where),
        identity_headers=tuple(str(header).lower() for header in identity.get("Headers") or ()),
        identity_queries=tuple(map(str, identity.get("QueryStrings") or ())),
        # With identity sources the service keeps answers for five minutes unless told otherwise.
        ttl_s=float(identity.get("ReauthorizeEvery", 300 if identity else 0)),
    )


def stage(api: Mapping[str, Any]) -> Stage:
    """What holds for all routes. Settings for single routes belong to the functions' events."""
    if api.get("RouteSettings"):
        raise TemplateError("HttpApi: put RouteSettings at the function's event")
    if str(api.get("StageName", "$default")) != "$default":
        raise TemplateError("HttpApi: only the stage $default is understood")
    return Stage(
        throttle(api.get("DefaultRouteSettings") or {}), _cors(api.get("CorsConfiguration"))
    )


def _cors(declared: Any) -> Cors | None:
    if declared in (None, False):
        return None
    if declared is True:
        return Cors(("*",), ("*",), ("*",))
    if isinstance(declared, str):
        return Cors((declared,))
    age = declared.get("MaxAge")
    return Cors(
        allow_origins=tuple(declared.get("AllowOrigins") or ()),
        allow_methods=tuple(declared.get("AllowMethods") or ()),
        allow_headers=tuple(declared.get("AllowHeaders") or ()),
        expose_headers=tuple(declared.get("ExposeHeaders") or ()),
        max_age_s=None if age is None else int(age),
        allow_credentials=declared.get("AllowCredentials") in (True, "true"),
    )
