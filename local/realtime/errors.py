"""What the emulated service refuses, in the service's own words."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

_Kind = TypeVar("_Kind")
SERVER_ERROR = "The server had an error while processing your request."


class Refusal(Exception):
    """An `error` event: the session goes on."""

    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.param = param


def error_body(
    kind: str,
    code: str | None,
    message: str,
    *,
    param: str | None = None,
    event_id: str | None = None,
) -> dict[str, Any]:
    """The `error` of an `error` event; `event_id` is the client's event that was at fault."""
    return {"type": kind, "code": code, "message": message, "param": param, "event_id": event_id}


def unknown_parameter(path: str) -> Refusal:
    return Refusal("unknown_parameter", f"Unknown parameter: '{path}'.", path)


def missing(path: str) -> Refusal:
    return Refusal("missing_required_parameter", f"Missing required parameter: '{path}'.", path)


def invalid(path: str, message: str) -> Refusal:
    return Refusal("invalid_value", message, path)


class WireModel(BaseModel):
    """What a client may send: no field more, no type bent into another."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def checked(kind: TypeAdapter[_Kind], body: Any) -> _Kind:
    """`body` as the service reads it; raises the Refusal that names its first fault."""
    try:
        return kind.validate_python(body)
    except ValidationError as error:
        faults = error.errors(include_url=False)
        raise _refusal(min(faults, key=_rank), body) from error


def _rank(fault: ErrorDetails) -> tuple[int, int]:
    """The service names a missing `type` first, then what it does not know, then the rest; of a union's branches the
    one that fits furthest speaks."""
    depth = len(fault["loc"])
    if fault["type"].startswith("union_tag") or (fault["loc"] and fault["loc"][-1] == "type"):
        return 0, depth
    return (1, depth) if fault["type"] == "extra_forbidden" else (2, -depth)


def _refusal(fault: ErrorDetails, body: Any) -> Refusal:
    kind = fault["type"]
    path = _path(fault["loc"], body, keeps_last=kind == "missing")
    if kind.startswith("union_tag"):
        tag = str(fault["ctx"]["discriminator"]).strip("'")
        path = f"{path}.{tag}".lstrip(".")
    if kind in ("missing", "union_tag_not_found"):
        return missing(path)
    if kind == "extra_forbidden":
        return unknown_parameter(path)
    if kind == "string_too_long":
        return Refusal(
            "string_above_max_length",
            f"Invalid '{path}': string too long. Expected a string with maximum length "
            f"{fault['ctx']['max_length']}.",
            path,
        )
    return invalid(path, f"Invalid value for '{path}': {fault['msg']}.")


def _path(places: tuple[int | str, ...], body: Any, *, keeps_last: bool) -> str:
    """A place in the body as the service writes it: `item.content[0].text`.

    Pydantic also names the branch of a union that it was in; that is no place in the body.
    """
    path, here = "", body
    for number, place in enumerate(places):
        if isinstance(place, int) and isinstance(here, list):
            path, here = f"{path}[{place}]", here[place]
        elif isinstance(here, dict) and place in here:
            path, here = f"{path}.{place}", here[place]
        elif keeps_last and number == len(places) - 1:
            path = f"{path}.{place}"
    return path.lstrip(".")
