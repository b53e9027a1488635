"""The `Events` of a function in SAM's words, read into sources. What the twin does not run is refused by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from local.cloud.declarations import (
    QueueSource,
    Route,
    StartingPosition,
    StreamSource,
    TemplateError,
    Throttle,
    Timer,
    TimerOrigin,
)
from local.cloud.event_filter import EventFilter, FilterError, parse_filters
from local.cloud.intrinsics import named_resource
from local.cloud.schedule import ScheduleError, parse_schedule

# Known properties that change nothing on one machine.
_HARMLESS = frozenset(
    {"RoleArn", "PermissionsBoundary", "Description", "RetryPolicy", "DeadLetterConfig", "Tags"}
    | {"GroupName", "FlexibleTimeWindow", "KmsKeyArn", "OmitName", "MetricsConfig", "Name"}
    | {"ApiId", "Queue", "Stream", "Enabled", "ParallelizationFactor", "State", "Target"}
)


def route(function: str, properties: Mapping[str, Any], default: str | None, where: str) -> Route:
    """A route of the HTTP API; `default` is its default authorizer."""
    _check(properties, where, "Method", "Path", "Auth", "RouteSettings", "PayloadFormatVersion")
    if str(properties.get("PayloadFormatVersion", "2.0")) != "2.0":
        raise TemplateError(f"{where}: only the payload format 2.0 is understood")
    auth = properties.get("Auth") or {}
    unknown = set(auth) - {"Authorizer", "InvokeRole"}
    if unknown:
        raise TemplateError(f"{where}: Auth holds {', '.join(sorted(unknown))}: not understood")
    named = auth.get("Authorizer", default)
    path = str(properties.get("Path", "$default"))
    method = str(properties.get("Method", "ANY")).upper()
    return Route(
        method="ANY" if method in ("*", "ANY", "X-AMAZON-APIGATEWAY-ANY-METHOD") else method,
        path=path,
        function=function,
        authorizer=None if named == "NONE" else named,
        throttle=throttle(properties.get("RouteSettings") or {}),
    )


def throttle(settings: Mapping[str, Any]) -> Throttle | None:
    """The token bucket in route settings, if they hold one."""
    if "ThrottlingRateLimit" not in settings:
        return None
    rate = float(settings["ThrottlingRateLimit"])
    return Throttle(rate, int(settings.get("ThrottlingBurstLimit", max(1, round(rate)))))


def queue_source(function: str, properties: Mapping[str, Any], where: str) -> QueueSource:
    _check(
        properties,
        where,
        *("BatchSize", "MaximumBatchingWindowInSeconds", "FilterCriteria"),
        *("FunctionResponseTypes", "ScalingConfig"),
    )
    scaling = properties.get("ScalingConfig") or {}
    return QueueSource(
        function=function,
        queue=named_resource(properties.get("Queue"), where),
        batch_size=int(properties.get("BatchSize", 10)),
        window_s=float(properties.get("MaximumBatchingWindowInSeconds", 0)),
        filters=_filters(properties, where, numeric=True),
        reports_failures=_reports(properties),
        concurrency=int(scaling.get("MaximumConcurrency", 5)),
    )


def stream_source(function: str, properties: Mapping[str, Any], where: str) -> StreamSource:
    _check(
        properties,
        where,
        *("BatchSize", "MaximumBatchingWindowInSeconds", "FilterCriteria", "StartingPosition"),
        *("FunctionResponseTypes", "BisectBatchOnFunctionError", "MaximumRetryAttempts"),
        *("MaximumRecordAgeInSeconds", "DestinationConfig"),
    )
    failure = (properties.get("DestinationConfig") or {}).get("OnFailure") or {}
    if failure.get("Type", "SQS") != "SQS":
        raise TemplateError(f"{where}: only an SQS queue is understood as OnFailure destination")
    position = str(properties.get("StartingPosition", "LATEST"))
    if position not in set(StartingPosition):
        raise TemplateError(f"{where}: the starting position {position} is not understood")
    return StreamSource(
        function=function,
        table=named_resource(properties.get("Stream"), where),
        batch_size=int(properties.get("BatchSize", 100)),
        window_s=float(properties.get("MaximumBatchingWindowInSeconds", 0)),
        filters=_filters(properties, where, numeric=False),
        reports_failures=_reports(properties),
        starting_position=StartingPosition(position),
        bisects=bool(properties.get("BisectBatchOnFunctionError", False)),
        max_retries=_limit(properties.get("MaximumRetryAttempts")),
        max_age_s=_limit(properties.get("MaximumRecordAgeInSeconds")),
        failure_queue=named_resource(failure["Destination"], where) if failure else None,
    )


def timer(
    name: str,
    properties: Mapping[str, Any],
    origin: TimerOrigin,
    where: str,
    *,
    function: str | None = None,
    queue: str | None = None,
) -> Timer | None:
    """A schedule; None where it is switched off. SAM calls the expression `Schedule` or `ScheduleExpression`."""
    _check(
        properties,
        where,
        *("Schedule", "ScheduleExpression", "ScheduleExpressionTimezone", "Input"),
        # Of a rule and of a schedule as resources.
        *("EventBusName", "Targets"),
    )
    enabled = str(properties.get("State", "ENABLED")).upper() == "ENABLED"
    if not enabled or properties.get("Enabled") in (False, "false"):
        return None
    expression = str(properties.get("ScheduleExpression") or properties.get("Schedule") or "")
    try:
        schedule = parse_schedule(
            expression, str(properties.get("ScheduleExpressionTimezone") or "UTC")
        )
    except ScheduleError as error:
        raise TemplateError(f"{where}: {error}") from error
    payload = properties.get("Input")
    retry = properties.get("RetryPolicy") or {}
    return Timer(
        name=name,
        schedule=schedule,
        origin=origin,
        function=function,
        queue=queue,
        payload=json.dumps(payload) if isinstance(payload, dict) else payload,
        # What fires a function only hands it over; Lambda itself tries an asynchronous invocation twice more.
        retries=min(2, int(retry.get("MaximumRetryAttempts", 2))),
    )


def _check(properties: Mapping[str, Any], where: str, *known: str) -> None:
    unknown = set(properties) - set(known) - _HARMLESS
    if unknown:
        raise TemplateError(f"{where}: {', '.join(sorted(unknown))} not understood by the twin")


def _limit(value: Any) -> int | None:
    """-1 stands for no limit."""
    return None if value is None or int(value) < 0 else int(value)


def _reports(properties: Mapping[str, Any]) -> bool:
    return "ReportBatchItemFailures" in (properties.get("FunctionResponseTypes") or [])


def _filters(properties: Mapping[str, Any], where: str, *, numeric: bool) -> EventFilter | None:
    declared = (properties.get("FilterCriteria") or {}).get("Filters") or []
    if not declared:
        return None
    try:
        return parse_filters([str(entry["Pattern"]) for entry in declared], numeric=numeric)
    except FilterError as error:
        raise TemplateError(f"{where}: {error}") from error
