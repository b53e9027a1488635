"""What the template declares, typed: functions, what invokes them, and what they stand on.

Other resources are named by their logical ids; `Template.physical` and `Template.attributes` say what these are called
once they exist.

    TemplateError   the template holds something that the twin does not run; the text names the resource
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from local.cloud.event_filter import EventFilter
from local.cloud.schedule import Schedule
from local.errors import TwinError


class TemplateError(TwinError):
    """The template holds something that the twin does not understand; the text names the resource."""


@dataclass(frozen=True, slots=True)
class Function:
    """`handler` is importable from the project's root: module and callable."""

    logical_id: str
    handler: str
    timeout_s: float
    environment: Mapping[str, str]
    memory_mb: int = 128


@dataclass(frozen=True, slots=True)
class Throttle:
    """A token bucket: `rate_per_s` tokens come back each second, up to `burst`."""

    rate_per_s: float
    burst: int


@dataclass(frozen=True, slots=True)
class Cors:
    """The API answers preflights itself where this is configured."""

    allow_origins: tuple[str, ...] = ()
    allow_methods: tuple[str, ...] = ()
    allow_headers: tuple[str, ...] = ()
    expose_headers: tuple[str, ...] = ()
    max_age_s: int | None = None
    allow_credentials: bool = False


@dataclass(frozen=True, slots=True)
class Stage:
    """What holds for all routes of the API."""

    throttle: Throttle | None = None
    cors: Cors | None = None


@dataclass(frozen=True, slots=True)
class Authorizer:
    """A function that answers with simple responses; its answers are kept for `ttl_s` by identity."""

    name: str
    function: str
    identity_headers: tuple[str, ...] = ("authorization",)
    identity_queries: tuple[str, ...] = ()
    ttl_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Route:
    """`method` is ANY where it does not matter; the catch-all route has the path `$default`."""

    method: str
    path: str
    function: str
    authorizer: str | None = None
    throttle: Throttle | None = None

    @property
    def public(self) -> bool:
        """Whether nobody is asked who calls."""
        return self.authorizer is None

    @property
    def key(self) -> str:
        """As the event's `routeKey` has it."""
        return self.path if self.path == "$default" else f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class QueueSource:
    """An SQS queue that feeds a function."""

    function: str
    queue: str
    batch_size: int = 10
    window_s: float = 0.0
    filters: EventFilter | None = None
    reports_failures: bool = False
    # Lambda starts with 5 concurrent batches of a standard queue.
    concurrency: int = 5


class StartingPosition(StrEnum):
    TRIM_HORIZON = "TRIM_HORIZON"
    LATEST = "LATEST"


@dataclass(frozen=True, slots=True)
class StreamSource:
    """A table's stream that feeds a function. `max_retries` and `max_age_s` are None for 'until it expires'."""

    function: str
    table: str
    batch_size: int = 100
    window_s: float = 0.0
    filters: EventFilter | None = None
    reports_failures: bool = False
    starting_position: StartingPosition = StartingPosition.LATEST
    bisects: bool = False
    max_retries: int | None = None
    max_age_s: float | None = None
    failure_queue: str | None = None


@dataclass(frozen=True, slots=True)
class BusSource:
    """A rule whose target is a function: the bus delivers to `queue`, which the twin adds, and the pump invokes."""

    function: str
    rule: str
    queue: str


class TimerOrigin(StrEnum):
    """Which service fires, as the event's `source` says."""

    RULE = "aws.events"
    SCHEDULER = "aws.scheduler"


@dataclass(frozen=True, slots=True)
class Timer:
    """A schedule and its one target, a function or a queue. `payload` is the text sent instead of the usual event."""

    name: str
    schedule: Schedule
    origin: TimerOrigin
    function: str | None = None
    queue: str | None = None
    payload: str | None = None
    retries: int = 2


Source = Route | QueueSource | StreamSource | BusSource | Timer


@dataclass(frozen=True, slots=True)
class Table:
    """`definition` holds the arguments of CreateTable but the name."""

    logical_id: str
    name: str
    definition: Mapping[str, Any]
    ttl_attribute: str | None = None


@dataclass(frozen=True, slots=True)
class Queue:
    """`attributes` as CreateQueue takes them; `dead_letters` and `max_receives` are its redrive policy."""

    logical_id: str
    name: str
    attributes: Mapping[str, str]
    dead_letters: str | None = None
    max_receives: int = 0


@dataclass(frozen=True, slots=True)
class RuleTarget:
    """`queue` is a queue's logical id, also that of the queue the twin puts before a function."""

    target_id: str
    queue: str
    shaping: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule with an event pattern; `bus` is None for the default bus."""

    logical_id: str
    name: str
    bus: str | None
    pattern: str
    targets: tuple[RuleTarget, ...]
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Bus:
    logical_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Bucket:
    logical_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Secret:
    """`text` is what the template itself says; None: whoever starts the twin gives it."""

    logical_id: str
    name: str
    text: str | None = None
    generated: Mapping[str, Any] | None = None
