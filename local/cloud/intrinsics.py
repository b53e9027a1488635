"""CloudFormation's intrinsic functions and conditions, resolved for the twin."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any

from local.cloud.declarations import TemplateError

NO_VALUE = object()
_PLACEHOLDER = re.compile(r"\$\{([^}]+)\}")


class Resolver:
    """Replaces intrinsics by what they stand for. `where` names the resource in every error.

    `physical` holds what `Ref` gives and `attributes` what `GetAtt` gives: parameters and pseudo parameters from the
    start, resources once they exist.
    """

    def __init__(
        self, document: Mapping[str, Any], physical: dict[str, Any], attributes: dict[Any, str]
    ) -> None:
        self.physical = physical
        self.attributes = attributes
        self._mappings: Mapping[str, Any] = document.get("Mappings") or {}
        self._conditions: Mapping[str, Any] = document.get("Conditions") or {}
        self._functions = {
            "Ref": self._ref,
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::If": self._if,
            "Fn::Join": self._join,
            "Fn::Split": self._split,
            "Fn::Select": self._select,
            "Fn::FindInMap": self._find_in_map,
            "Fn::Base64": self._base64,
            "Fn::Equals": self._equals,
            "Fn::And": self._and,
            "Fn::Or": self._or,
            "Fn::Not": self._not,
            "Condition": self._condition,
        }

    def resolve(self, value: Any, where: str) -> Any:
        """The value without intrinsics; entries that come to AWS::NoValue are left out. Raises TemplateError."""
        found = self._resolve(value, where)
        return None if found is NO_VALUE else found

    def holds(self, condition: str, where: str) -> bool:
        """Whether a named condition is true."""
        if condition not in self._conditions:
            raise TemplateError(f"{where}: the condition {condition} is not declared")
        return self._truth(self._conditions[condition], where)

    def _resolve(self, value: Any, where: str) -> Any:
        if isinstance(value, list):
            items = [self._resolve(item, where) for item in value]
            return [item for item in items if item is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            name, argument = next(iter(value.items()))
            if name in self._functions and not (name == "Condition" and isinstance(argument, dict)):
                return self._functions[name](argument, where)
            if str(name).startswith("Fn::"):
                raise TemplateError(f"{where}: {name} is not understood")
        entries = {key: self._resolve(item, where) for key, item in value.items()}
        return {key: item for key, item in entries.items() if item is not NO_VALUE}

    def _ref(self, name: Any, where: str) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        if name not in self.physical:
            raise TemplateError(f"{where}: Ref {name} is not known here")
        return self.physical[name]

    def _get_att(self, argument: Any, where: str) -> str:
        name, attribute = att_of(argument)
        if (name, attribute) not in self.attributes:
            raise TemplateError(f"{where}: GetAtt {name}.{attribute} is not known here")
        return self.attributes[name, attribute]

    def _sub(self, argument: Any, where: str) -> str:
        text, given = argument if isinstance(argument, list) else (argument, {})
        variables = {name: self._resolve(value, where) for name, value in given.items()}

        def replacement(match: re.Match[str]) -> str:
            name = match[1].strip()
            if name.startswith("!"):
                return f"${{{name[1:]}}}"
            if name in variables:
                return str(variables[name])
            return str(self._get_att(name, where) if "." in name else self._ref(name, where))

        return _PLACEHOLDER.sub(replacement, str(text))

    def _if(self, argument: Any, where: str) -> Any:
        name, then, otherwise = _items("Fn::If", argument, 3, where)
        return self._resolve(then if self.holds(name, where) else otherwise, where)

    def _join(self, argument: Any, where: str) -> str:
        separator, parts = _items("Fn::Join", argument, 2, where)
        return str(separator).join(str(part) for part in self._resolve(parts, where))

    def _split(self, argument: Any, where: str) -> list[str]:
        separator, text = _items("Fn::Split", argument, 2, where)
        return str(self._resolve(text, where)).split(separator)

    def _select(self, argument: Any, where: str) -> Any:
        index, options = _items("Fn::Select", argument, 2, where)
        found = self._resolve(options, where)
        try:
            return found[int(self._resolve(index, where))]
        except (IndexError, ValueError) as error:
            raise TemplateError(f"{where}: Fn::Select has no element {index}") from error

    def _find_in_map(self, argument: Any, where: str) -> Any:
        keys = [self._resolve(key, where) for key in _items("Fn::FindInMap", argument, 3, where)]
        found: Any = self._mappings
        for key in keys:
            if not isinstance(found, Mapping) or key not in found:
                raise TemplateError(f"{where}: Fn::FindInMap finds nothing under {keys}")
            found = found[key]
        return found

    def _base64(self, argument: Any, where: str) -> str:
        return base64.b64encode(str(self._resolve(argument, where)).encode()).decode()

    def _equals(self, argument: Any, where: str) -> bool:
        first, second = (self._resolve(a, where) for a in _items("Fn::Equals", argument, 2, where))
        return str(first) == str(second)

    def _and(self, argument: Any, where: str) -> bool:
        return all(self._truth(item, where) for item in argument)

    def _or(self, argument: Any, where: str) -> bool:
        return any(self._truth(item, where) for item in argument)

    def _not(self, argument: Any, where: str) -> bool:
        (item,) = _items("Fn::Not", argument, 1, where)
        return not self._truth(item, where)

    def _condition(self, name: Any, where: str) -> bool:
        return self.holds(name, where)

    def _truth(self, value: Any, where: str) -> bool:
        found = self._resolve(value, where)
        if not isinstance(found, bool):
            raise TemplateError(f"{where}: {value} is no condition")
        return found


def _items(name: str, argument: Any, count: int, where: str) -> Sequence[Any]:
    if not isinstance(argument, list) or len(argument) != count:
        raise TemplateError(f"{where}: {name} takes a list of {count}")
    return argument


def att_of(argument: Any) -> tuple[str, str]:
    """Resource and attribute that a GetAtt names, in either of its forms."""
    parts = argument.split(".", 1) if isinstance(argument, str) else argument
    name, attribute = [*parts, ""][:2]
    return str(name), str(attribute)


def named_resource(value: Any, where: str) -> str:
    """The logical id that `!GetAtt X.Arn`, `!Ref X` or `!Sub ${X.Arn}` points at; raises TemplateError."""
    if isinstance(value, dict) and len(value) == 1:
        name, argument = next(iter(value.items()))
        if name == "Ref":
            return str(argument)
        if name == "Fn::GetAtt":
            return att_of(argument)[0]
        if name == "Fn::Sub" and isinstance(argument, str):
            match = _PLACEHOLDER.fullmatch(argument)
            if match:
                return match[1].partition(".")[0]
    raise TemplateError(f"{where}: point at a resource of this template by !GetAtt or !Ref")
