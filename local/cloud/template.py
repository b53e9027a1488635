"""The project's SAM template, read and resolved for the twin. What it does not understand it refuses by name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from local.cloud.ministack import ACCOUNT, REGION


class TemplateError(Exception):
    """The template holds something that the twin does not understand; the text names the resource."""


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    path: str
    function: str
    public: bool


@dataclass(frozen=True, slots=True)
class QueueSource:
    function: str
    queue: str
    batch_size: int


@dataclass(frozen=True, slots=True)
class StreamSource:
    function: str
    table: str
    batch_size: int


@dataclass(frozen=True, slots=True)
class Timer:
    function: str
    rate_s: float


@dataclass(frozen=True, slots=True)
class Function:
    logical_id: str
    handler: str
    timeout_s: float
    environment: Mapping[str, str]


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms."""


def _short_form(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> dict[str, Any]:
    name = tag if tag == "Ref" else f"Fn::{tag}"
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        if tag == "GetAtt":
            value = str(value).split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        raise TemplateError(f"!{tag} of a mapping is not understood")
    return {name: value}


_Loader.add_multi_constructor("!", _short_form)


class Template:
    """`physical` maps logical ids to what `Ref` gives once the resources exist."""

    def __init__(self, path: Path, parameters: Mapping[str, str]) -> None:
        self._document: dict[str, Any] = yaml.load(path.read_text(), Loader=_Loader)
        self.physical: dict[str, str] = {}
        self.attributes: dict[tuple[str, str], str] = {}
        for name, declared in self._document.get("Parameters", {}).items():
            value = parameters.get(name, declared.get("Default"))
            if value is None:
                raise TemplateError(f"the parameter {name} has no value")
            self.physical[name] = str(value)
        self.physical["AWS::Region"] = REGION
        self.physical["AWS::AccountId"] = ACCOUNT

    def resources(self, kind: str) -> dict[str, dict[str, Any]]:
        """Properties of all resources of a type, by logical id."""
        return {
            name: resource.get("Properties", {})
            for name, resource in self._document["Resources"].items()
            if resource["Type"] == kind
        }

    def resolve(self, value: Any) -> Any:
        """Intrinsics replaced by what they stand for; raises TemplateError."""
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            name, argument = next(iter(value.items()))
            if name == "Ref":
                return self._ref(argument)
            if name == "Fn::Sub":
                return re.sub(r"\$\{([^}]+)\}", lambda match: self._sub(match.group(1)), argument)
            if name == "Fn::GetAtt":
                return self._attribute(*argument)
            if name.startswith("Fn::"):
                raise TemplateError(f"{name} is not understood")
        return {key: self.resolve(item) for key, item in value.items()}

    def functions(self) -> dict[str, Function]:
        """All functions, Globals merged, environments resolved."""
        defaults = self._document.get("Globals", {}).get("Function", {})
        shared = defaults.get("Environment", {}).get("Variables", {})
        found: dict[str, Function] = {}
        for name, properties in self.resources("AWS::Serverless::Function").items():
            own = properties.get("Environment", {}).get("Variables", {})
            variables = {k: str(self.resolve(v)) for k, v in {**shared, **own}.items()}
            timeout = properties.get("Timeout", defaults.get("Timeout", 3))
            found[name] = Function(name, properties["Handler"], float(timeout), variables)
        return found

    def events(self) -> list[Route | QueueSource | StreamSource | Timer]:
        """What invokes the functions."""
        sources: list[Route | QueueSource | StreamSource | Timer] = []
        for name, properties in self.resources("AWS::Serverless::Function").items():
            for event in properties.get("Events", {}).values():
                sources.append(self._event(name, event["Type"], event["Properties"]))
        return sources

    def _event(
        self, function: str, kind: str, properties: dict[str, Any]
    ) -> Route | QueueSource | StreamSource | Timer:
        if kind == "HttpApi":
            public = properties.get("Auth", {}).get("Authorizer") == "NONE"
            return Route(properties["Method"].upper(), properties["Path"], function, public)
        if kind == "SQS":
            queue = properties["Queue"]["Fn::GetAtt"][0]
            return QueueSource(function, queue, properties.get("BatchSize", 10))
        if kind == "DynamoDB":
            table = properties["Stream"]["Fn::GetAtt"][0]
            return StreamSource(function, table, properties.get("BatchSize", 100))
        if kind in ("ScheduleV2", "Schedule"):
            expression = properties.get("ScheduleExpression") or properties.get("Schedule")
            return Timer(function, rate_s(str(expression)))
        raise TemplateError(f"{function}: the event type {kind} is not understood")

    def authorizer(self) -> str:
        """The function behind the API's default authorizer."""
        api = next(iter(self.resources("AWS::Serverless::HttpApi").values()))
        default = api["Auth"]["DefaultAuthorizer"]
        argument = api["Auth"]["Authorizers"][default]["FunctionArn"]
        return str(argument["Fn::GetAtt"][0])

    def _ref(self, name: str) -> str:
        if name not in self.physical:
            raise TemplateError(f"Ref {name} is not known here")
        return self.physical[name]

    def _sub(self, expression: str) -> str:
        name, _, attribute = expression.partition(".")
        return self._attribute(name, attribute) if attribute else self._ref(name)

    def _attribute(self, name: str, attribute: str) -> str:
        if (name, attribute) not in self.attributes:
            raise TemplateError(f"GetAtt {name}.{attribute} is not known here")
        return self.attributes[name, attribute]


_RATE = re.compile(r"rate\((?:1 (minute|hour|day)|(\d+) (minutes|hours|days))\)")
_UNITS = {"minute": 60.0, "hour": 3_600.0, "day": 86_400.0}


def rate_s(expression: str) -> float:
    """Seconds between the firings of `rate(...)`; the service itself refuses `rate(1 minutes)`."""
    match = _RATE.fullmatch(expression)
    if match is None:
        raise TemplateError(
            f"the schedule expression {expression!r} is not valid or not understood"
        )
    single, count, plural = match.groups()
    if single:
        return _UNITS[single]
    if int(count) <= 1:
        raise TemplateError(f"the schedule expression {expression!r} needs the singular")
    return int(count) * _UNITS[plural.rstrip("s")]
