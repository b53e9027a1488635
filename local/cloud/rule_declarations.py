"""Rules of the bus and their targets, as resources of their own or as functions' events; schedules as resources."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from local.cloud import event_sources
from local.cloud.declarations import (
    BusSource,
    Rule,
    RuleTarget,
    Source,
    TemplateError,
    Timer,
    TimerOrigin,
)
from local.cloud.intrinsics import named_resource

_QUEUE = "AWS::SQS::Queue"
_FUNCTION = "AWS::Serverless::Function"
_SHAPING = ("Input", "InputPath", "InputTransformer", "SqsParameters")
_KNOWN = frozenset(
    {"Id", "Arn", "RoleArn", "DeadLetterConfig", "RetryPolicy", *_SHAPING}
    # Of a function's event.
    | {"Pattern", "EventBusName", "Target", "State", "RuleName", "Enabled"}
)


class RuleReader:
    """`resolve` replaces intrinsics, `kind_of` gives a resource's type by its logical id."""

    def __init__(self, resolve: Callable[[Any, str], Any], kind_of: Callable[[str], str]) -> None:
        self._resolve = resolve
        self._kind_of = kind_of

    def rule(self, name: str, properties: Mapping[str, Any]) -> Rule:
        """A rule with an event pattern; raises TemplateError."""
        pattern = self._resolve(properties["EventPattern"], name)
        targets = properties.get("Targets") or []
        return Rule(
            logical_id=name,
            name=str(self._resolve(properties.get("Name", name), name)),
            bus=str(self._resolve(properties.get("EventBusName", "default"), name)),
            pattern=pattern if isinstance(pattern, str) else json.dumps(pattern),
            targets=tuple(self._target(name, target) for target in targets),
            enabled=self._resolve(properties.get("State", "ENABLED"), name) == "ENABLED",
        )

    def function_rule(self, function: str, event_name: str, raw: Mapping[str, Any]) -> Rule:
        """The rule that SAM makes of a function's event."""
        name = f"{function}{event_name}"
        unknown = set(raw) - _KNOWN
        if unknown:
            raise TemplateError(f"{name}: {', '.join(sorted(unknown))} not understood by the twin")
        shaping = {key: raw[key] for key in _SHAPING if key in raw}
        target = {"Id": "function", "Arn": {"Ref": function}, **shaping}
        kept = {key: raw[key] for key in ("EventBusName", "State") if key in raw}
        return self.rule(name, {**kept, "Targets": [target], "EventPattern": raw.get("Pattern")})

    def sources(self, name: str, properties: Mapping[str, Any]) -> list[Source]:
        """What a rule gives the pump to do: functions behind a pattern, and a schedule for each target."""
        found: list[Source] = []
        for target in properties.get("Targets") or []:
            resource, kind = self._resource(target.get("Arn"), f"{name}, target {target.get('Id')}")
            if "EventPattern" in properties and kind == _FUNCTION:
                found.append(BusSource(resource, name, f"{name}-{target['Id']}"))
            if "ScheduleExpression" in properties:
                dropped = ("Targets", "EventBusName", "EventPattern")
                given = {k: v for k, v in properties.items() if k not in dropped}
                given |= {key: target[key] for key in ("Input",) if key in target}
                found += self._timer(name, given, TimerOrigin.RULE, target.get("Arn"))
        return found

    def schedule(self, name: str, properties: Mapping[str, Any]) -> list[Source]:
        """A schedule that is a resource of its own."""
        target = properties.get("Target") or {}
        given = {key: value for key, value in properties.items() if key != "Target"}
        given |= {key: target[key] for key in ("Input", "RetryPolicy") if key in target}
        return self._timer(name, given, TimerOrigin.SCHEDULER, target.get("Arn"))

    def _timer(
        self, name: str, given: Mapping[str, Any], origin: TimerOrigin, arn: Any
    ) -> list[Source]:
        resource, kind = self._resource(arn, name)
        properties = self._resolve(dict(given), name)
        timer: Timer | None = event_sources.timer(
            str(properties.get("Name", name)),
            properties,
            origin,
            name,
            function=resource if kind == _FUNCTION else None,
            queue=resource if kind == _QUEUE else None,
        )
        return [timer] if timer else []

    def _target(self, rule: str, target: Mapping[str, Any]) -> RuleTarget:
        where = f"{rule}, target {target.get('Id')}"
        unknown = set(target) - _KNOWN
        if unknown:
            raise TemplateError(f"{where}: {', '.join(sorted(unknown))} not understood by the twin")
        resource, kind = self._resource(target.get("Arn"), where)
        return RuleTarget(
            target_id=str(target["Id"]),
            queue=resource if kind == _QUEUE else f"{rule}-{target['Id']}",
            shaping=self._resolve({key: target[key] for key in _SHAPING if key in target}, where),
        )

    def _resource(self, arn: Any, where: str) -> tuple[str, str]:
        resource = named_resource(arn, where)
        kind = self._kind_of(resource)
        if kind not in (_QUEUE, _FUNCTION):
            raise TemplateError(f"{where}: only a queue or a function is understood as target")
        return resource, kind
