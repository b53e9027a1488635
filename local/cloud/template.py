"""The project's SAM template, read and resolved for the twin. What it does not understand it refuses by name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local.cloud import api_settings, event_sources, store_declarations
from local.cloud.cloudformation_yaml import read_template
from local.cloud.declarations import (
    Authorizer,
    Bucket,
    Bus,
    BusSource,
    Function,
    Queue,
    QueueSource,
    Route,
    Rule,
    Secret,
    Source,
    Stage,
    StreamSource,
    Table,
    TemplateError,
    Timer,
    TimerOrigin,
)
from local.cloud.intrinsics import Resolver
from local.cloud.ministack import ACCOUNT, REGION
from local.cloud.rule_declarations import RuleReader
from local.cloud.state import PROJECT

__all__ = ["QueueSource", "Route", "StreamSource", "Template", "TemplateError", "Timer"]

_FUNCTION = "AWS::Serverless::Function"
_API = "AWS::Serverless::HttpApi"
_QUEUE = "AWS::SQS::Queue"
_RULE = "AWS::Events::Rule"
_SCHEDULE = "AWS::Scheduler::Schedule"
_RUN_HERE = frozenset(
    {_FUNCTION, _API, _QUEUE, _RULE, _SCHEDULE, "AWS::DynamoDB::Table", "AWS::Events::EventBus"}
    | {"AWS::S3::Bucket", "AWS::SecretsManager::Secret"}
)
# What gives permissions, watches, or hosts things that the twin starts itself.
_LEFT_OUT = (
    *("AWS::IAM::", "AWS::Logs::", "AWS::CloudWatch::", "AWS::KMS::", "AWS::EC2::", "AWS::ECS::"),
    *("AWS::ECR::", "AWS::RDS::", "AWS::ElasticLoadBalancingV2::", "AWS::WAFv2::", "AWS::SSM::"),
    *("AWS::ApplicationAutoScaling::", "AWS::CodeDeploy::", "AWS::CertificateManager::"),
    *("AWS::Route53::", "AWS::SNS::", "AWS::AppConfig::", "AWS::CloudFront::", "AWS::Budgets::"),
    *("AWS::SQS::QueuePolicy", "AWS::S3::BucketPolicy", "AWS::Events::EventBusPolicy"),
    *("AWS::Lambda::Permission", "AWS::Lambda::EventInvokeConfig", "AWS::Events::Archive"),
    *("AWS::Serverless::Application", "AWS::Serverless::LayerVersion", "AWS::CloudFormation::"),
    *("AWS::Scheduler::ScheduleGroup", "AWS::SecretsManager::RotationSchedule"),
    *("AWS::SecretsManager::ResourcePolicy", "AWS::SecretsManager::SecretTargetAttachment"),
    *("AWS::Serverless::Connector", "AWS::ApiGatewayV2::", "AWS::Synthetics::", "AWS::XRay::"),
)
_POINTERS = frozenset({"Queue", "Stream", "DestinationConfig", "ApiId", "DeadLetterConfig"})


class Template:
    """`physical` maps logical ids to what `Ref` gives and `attributes` to what `GetAtt` gives, once the resources
    exist. `environment` replaces variables of every function; `left_out` names what the twin does not run."""

    def __init__(
        self,
        path: Path,
        parameters: Mapping[str, str],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._document = read_template(path)
        self._folder = path.resolve().parent
        self._environment = dict(environment or {})
        self.physical: dict[str, Any] = {}
        self.attributes: dict[tuple[str, str], str] = {}
        self._resolver = Resolver(self._document, self.physical, self.attributes)
        self._declare_parameters(parameters)
        self._live = self._live_resources()
        self._rules = RuleReader(
            self._resolver.resolve, lambda name: self._live.get(name, {}).get("Type", "")
        )
        self.left_out = tuple(
            name for name, resource in self._live.items() if resource["Type"] not in _RUN_HERE
        )
        for bus in self.buses():
            self.physical[bus.logical_id] = bus.name

    def resources(self, kind: str) -> dict[str, dict[str, Any]]:
        """Properties of all resources of a type whose condition holds, by logical id."""
        return {
            name: resource.get("Properties") or {}
            for name, resource in self._live.items()
            if resource["Type"] == kind
        }

    @property
    def resource_names(self) -> tuple[str, ...]:
        """Logical ids of what exists once it is provisioned."""
        return tuple(name for name in self._live if name in self.physical)

    def resolve(self, value: Any, where: str = "template") -> Any:
        """Intrinsics replaced by what they stand for; raises TemplateError."""
        return self._resolver.resolve(value, where)

    def functions(self) -> dict[str, Function]:
        """All functions, Globals merged, environments resolved: only when the resources exist."""
        return {name: self._function(name) for name in self.resources(_FUNCTION)}

    def events(self) -> list[Source]:
        """What invokes the functions."""
        sources: list[Source] = []
        for name in self.resources(_FUNCTION):
            for event_name, event in (self._merged(name).get("Events") or {}).items():
                sources += self._event(name, event_name, event)
        for name, properties in self.resources(_RULE).items():
            sources += self._rules.sources(name, properties)
        for name, properties in self.resources(_SCHEDULE).items():
            sources += self._rules.schedule(name, properties)
        return sources

    def rules(self) -> list[Rule]:
        """Rules with an event pattern, those that SAM makes of functions' events among them."""
        found = []
        for name, properties in self.resources(_RULE).items():
            if "EventPattern" in properties:
                found.append(self._rules.rule(name, properties))
        for function in self.resources(_FUNCTION):
            for event_name, event in (self._merged(function).get("Events") or {}).items():
                if event["Type"] in ("EventBridgeRule", "CloudWatchEvent"):
                    found.append(
                        self._rules.function_rule(function, event_name, event["Properties"])
                    )
        return found

    def authorizer(self) -> Mapping[str, Authorizer]:
        """The API's authorizers by name; each route names its own."""
        return api_settings.authorizers(self._api())

    def stage(self) -> Stage:
        """CORS and throttling of the API."""
        return api_settings.stage(self.resolve(self._api(skip="Auth"), "HttpApi"))

    def name_api(self, url: str) -> None:
        """Say where the API will listen: its `ApiEndpoint`."""
        for name in self.resources(_API):
            self.attributes[name, "ApiEndpoint"] = url

    def tables(self) -> list[Table]:
        kind = "AWS::DynamoDB::Table"
        return [
            store_declarations.table(name, self.resolve(properties, name))
            for name, properties in self.resources(kind).items()
        ]

    def queues(self) -> list[Queue]:
        """All queues, and those that stand between a rule and a function."""
        declared = [
            store_declarations.queue(name, properties, self.resolve)
            for name, properties in self.resources(_QUEUE).items()
        ]
        between = [source for source in self.events() if isinstance(source, BusSource)]
        return declared + [store_declarations.queue_between(source) for source in between]

    def buses(self) -> list[Bus]:
        return [
            Bus(name, str(self.resolve(properties.get("Name", name), name)))
            for name, properties in self.resources("AWS::Events::EventBus").items()
        ]

    def buckets(self) -> list[Bucket]:
        return [
            Bucket(name, str(self.resolve(p.get("BucketName", f"sofia-{name.lower()}"), name)))
            for name, p in self.resources("AWS::S3::Bucket").items()
        ]

    def secrets(self) -> list[Secret]:
        return [
            store_declarations.secret(name, self.resolve(properties, name))
            for name, properties in self.resources("AWS::SecretsManager::Secret").items()
        ]

    def _declare_parameters(self, given: Mapping[str, str]) -> None:
        for name, declared in (self._document.get("Parameters") or {}).items():
            value = given.get(name, declared.get("Default"))
            if value is None:
                raise TemplateError(f"the parameter {name} has no value")
            is_list = "List" in declared.get("Type", "String")
            self.physical[name] = str(value).split(",") if is_list else str(value)
        self.physical |= {
            "AWS::Region": REGION,
            "AWS::AccountId": ACCOUNT,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::StackName": "sofia",
            "AWS::StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/sofia/local",
        }

    def _live_resources(self) -> dict[str, dict[str, Any]]:
        live: dict[str, dict[str, Any]] = {}
        for name, resource in (self._document.get("Resources") or {}).items():
            kind, condition = resource.get("Type", ""), resource.get("Condition")
            if condition is not None and not self._resolver.holds(condition, name):
                continue
            if kind not in _RUN_HERE and not kind.startswith(_LEFT_OUT):
                raise TemplateError(f"{name}: the resource type {kind} is not understood")
            live[name] = resource
            if kind == _FUNCTION:
                self.physical[name] = name
                arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
                self.attributes[name, "Arn"] = arn
            elif kind == _API:
                self.physical[name] = api_settings.API_ID
        return live

    def _merged(self, name: str) -> dict[str, Any]:
        """A function's properties with Globals, by SAM's rules: maps merge, lists are prepended, others replace."""
        defaults = (self._document.get("Globals") or {}).get("Function") or {}
        merged = _merge(defaults, self.resources(_FUNCTION)[name])
        assert isinstance(merged, dict)
        return merged

    def _function(self, name: str) -> Function:
        properties = self._merged(name)
        if "Handler" not in properties:
            raise TemplateError(f"{name}: a function needs a Handler; images are not run here")
        variables = (properties.get("Environment") or {}).get("Variables") or {}
        environment = {
            key: str(self.resolve(value, f"{name}, environment variable {key}"))
            for key, value in variables.items()
            if key not in self._environment
        }
        return Function(
            logical_id=name,
            handler=self._importable(name, properties),
            timeout_s=float(self.resolve(properties.get("Timeout", 3), name)),
            environment={**environment, **self._environment},
            memory_mb=int(self.resolve(properties.get("MemorySize", 128), name)),
        )

    def _importable(self, name: str, properties: Mapping[str, Any]) -> str:
        """The handler as it is imported from the project's root."""
        handler = str(self.resolve(properties["Handler"], name)).replace("/", ".")
        folder = (self._folder / str(properties.get("CodeUri", "."))).resolve()
        if not folder.is_relative_to(PROJECT):
            return handler
        return ".".join((*folder.relative_to(PROJECT).parts, handler))

    def _event(self, function: str, event_name: str, event: Mapping[str, Any]) -> list[Source]:
        kind, where = event["Type"], f"{function}: the event {event_name}"
        raw = event.get("Properties") or {}
        properties = {
            key: value if key in _POINTERS else self.resolve(value, where)
            for key, value in raw.items()
        }
        if kind in ("ScheduleV2", "Schedule"):
            origin = TimerOrigin.SCHEDULER if kind == "ScheduleV2" else TimerOrigin.RULE
            name = str(properties.get("Name", f"{function}{event_name}"))
            timer = event_sources.timer(name, properties, origin, where, function=function)
            return [timer] if timer else []
        if kind in ("SQS", "DynamoDB") and properties.get("Enabled") in (False, "false"):
            return []
        if kind == "HttpApi":
            default = (self._api().get("Auth") or {}).get("DefaultAuthorizer")
            return [event_sources.route(function, properties, default, where)]
        if kind == "SQS":
            return [event_sources.queue_source(function, properties, where)]
        if kind == "DynamoDB":
            return [event_sources.stream_source(function, properties, where)]
        if kind in ("EventBridgeRule", "CloudWatchEvent"):
            rule = self._rules.function_rule(function, event_name, raw)
            return [BusSource(function, rule.logical_id, rule.targets[0].queue)]
        raise TemplateError(f"{function}: the event type {kind} is not understood")

    def _api(self, skip: str = "") -> dict[str, Any]:
        """Properties of the one HTTP API, Globals merged."""
        declared = self.resources(_API)
        if len(declared) > 1:
            raise TemplateError(f"{', '.join(declared)}: the twin serves one HTTP API")
        defaults = (self._document.get("Globals") or {}).get("HttpApi") or {}
        merged = _merge(defaults, next(iter(declared.values()), {}))
        return {key: value for key, value in merged.items() if key != skip}


def _merge(defaults: Any, own: Any) -> Any:
    if isinstance(defaults, dict) and isinstance(own, dict) and not _is_intrinsic(own):
        keys = [*defaults, *(key for key in own if key not in defaults)]
        return {
            key: _merge(defaults[key], own[key])
            if key in defaults and key in own
            else own.get(key, defaults.get(key))
            for key in keys
        }
    if isinstance(defaults, list) and isinstance(own, list):
        return [*defaults, *own]
    return own


def _is_intrinsic(value: Mapping[str, Any]) -> bool:
    return len(value) == 1 and next(iter(value)).startswith(("Fn::", "Ref"))
