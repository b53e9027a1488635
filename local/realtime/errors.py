"""What the emulated service refuses, in the service's own words."""

from __future__ import annotations


class Refusal(Exception):
    """An `error` event: the session goes on."""

    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.param = param


def unknown_parameter(path: str) -> Refusal:
    return Refusal("unknown_parameter", f"Unknown parameter: '{path}'.", path)


def missing(path: str) -> Refusal:
    return Refusal("missing_required_parameter", f"Missing required parameter: '{path}'.", path)


def invalid(path: str, message: str) -> Refusal:
    return Refusal("invalid_value", message, path)
