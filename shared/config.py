"""Where settings come from: the process environment, or the environment bound for one invocation.

In AWS each function has a process of its own. The local twin runs all of them in one process and binds each
function's environment while it runs, so that both read their settings the same way.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from shared.domain.errors import SofiaError

_bound: ContextVar[Mapping[str, str] | None] = ContextVar("bound_environment", default=None)


def environment() -> Mapping[str, str]:
    """The environment of the running function or process."""
    bound = _bound.get()
    return os.environ if bound is None else bound


@contextmanager
def use_environment(mapping: Mapping[str, str]) -> Iterator[None]:
    """Bind `mapping` as the environment for the code that runs inside the `with` block."""
    token = _bound.set(mapping)
    try:
        yield
    finally:
        _bound.reset(token)


class SettingError(SofiaError):
    """A setting is missing or unusable; the process must not start."""


def required(name: str) -> str:
    """The setting `name`; raises SettingError where it is missing or empty."""
    value = environment().get(name, "")
    if not value:
        raise SettingError(f"the environment variable {name} is missing: set it in template.yaml")
    return value


def optional(name: str, default: str = "") -> str:
    """The setting `name`, or `default` where it is missing or empty."""
    return environment().get(name, "") or default
