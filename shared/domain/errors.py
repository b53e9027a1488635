"""What can go wrong in the domain. Nothing here knows of HTTP, queues or databases.

SofiaError
├── InvalidInput        the caller's data is wrong; says which field and what to do
│   └── KeyReused       an idempotency key stands for another request
├── NotFound            no such thing for this tenant
├── Refused             the rules or the state forbid it; trying again unchanged will not help
│   ├── CommandRefused  a command whose precondition fails (cancel after the end, say)
│   ├── GateDenied      the call is not allowed (now); carries the decision's reason and when to try again
│   └── Forbidden       the caller may not do this
├── Conflict            the same key was used for something else, or somebody else is at it right now
└── Unavailable         an outside part does not answer; trying later may help
    └── TooManyCalls    the tenant asks for more than it may; says when there is room again
"""

from __future__ import annotations

from datetime import datetime


class SofiaError(Exception):
    """Root of every error that Sofia raises on purpose."""


class InvalidInput(SofiaError):
    """The caller's data is wrong. `field` is a dotted path, `message` says what to do and never repeats the value."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


class KeyReused(InvalidInput):
    """The idempotency key stands for another request."""

    def __init__(self) -> None:
        super().__init__("Idempotency-Key", "this key stands for another request: use a new one")


class NotFound(SofiaError):
    """There is no such thing, or it belongs to another tenant (which is not told apart)."""


class Refused(SofiaError):
    """The rules or the state forbid it."""


class CommandRefused(Refused):
    """A command came in a state that does not allow it."""


class GateDenied(Refused):
    """The gate said no. `reason` is its code, `retry_at` when the same call may be allowed, if ever."""

    def __init__(self, reason: str, retry_at: datetime | None) -> None:
        super().__init__(f"the call is not allowed: {reason}")
        self.reason = reason
        self.retry_at = retry_at


class Forbidden(Refused):
    """The caller is known but may not do this."""


class Conflict(SofiaError):
    """Somebody else holds it, or the same key stands for something else."""


class Unavailable(SofiaError):
    """An outside part (store, carrier, model) did not answer in time."""


class TooManyCalls(Unavailable):
    """The tenant created too many calls; `retry_after_s` is when there is room for one more."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__("this tenant created too many calls in a minute; try again later")
        self.retry_after_s = retry_after_s
