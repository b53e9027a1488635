"""An emulated account, its timeline, and the faults that a test switches on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

from local.carrier.far_end import MachineVerdict


@dataclass(frozen=True, slots=True)
class RestFaults:
    """What goes wrong at the REST door. Counts say how often a fault strikes before it is used up."""

    too_many_requests: int = 0
    """429: the request was not processed."""
    refuse_every: int = 0
    """429 for each request whose number divides by this; 0: none."""
    fail_after_creating: int = 0
    """The call is placed, the answer is 500: its outcome is unknown to the caller."""
    reset_after_creating: int = 0
    """The call is placed, the connection breaks without an answer."""
    answer_after_ms: int = 0
    hang_up_error_400: bool = False
    """Hanging up a finished call gives 400/21220 instead of 404/20404."""


class Counted(Enum):
    """Faults that strike a number of times."""

    TOO_MANY_REQUESTS = "too_many_requests"
    FAIL_AFTER_CREATING = "fail_after_creating"
    RESET_AFTER_CREATING = "reset_after_creating"

    def left(self, faults: RestFaults) -> int:
        left: int = getattr(faults, self.value)
        return left

    def used(self, faults: RestFaults) -> RestFaults:
        """The same faults, one of this kind fewer."""
        changes: dict[str, Any] = {self.value: self.left(faults) - 1}
        return replace(faults, **changes)


@dataclass(frozen=True, slots=True)
class CallbackFaults:
    """What goes wrong with status callbacks. Events are `initiated ringing answered completed`."""

    duplicate: bool = False
    reorder: bool = False
    """Everything but the last comes half a second late."""
    drop: frozenset[str] = frozenset()
    after_end: frozenset[str] = frozenset()
    """Delivered after the call's last callback."""
    initiated_before_answer: bool = False
    """`initiated` arrives before the request that creates the call is answered."""


@dataclass(frozen=True, slots=True)
class SigningFaults:
    """How webhooks and handshakes are signed: wrongly, not at all, or rightly in another way that Twilio uses."""

    wrong: bool = False
    missing: bool = False
    with_port: bool = False
    """`:443` is in the signed address."""
    with_slash: bool = False
    """The signed address of a handshake ends in `/`."""
    shared_key: str | None = None
    """HMAC-SHA256 with this key instead of the account's token."""
    on_webhooks: bool = True
    on_handshakes: bool = True
    """Where these faults strike."""


@dataclass(frozen=True, slots=True)
class StreamFaults:
    """What goes wrong with Media Streams; times count from the stream's start."""

    stall_at_ms: int = 0
    stall_ms: int = 0
    """No frames for so long, then all of them at once."""
    skip_at_ms: int = 0
    skip_ms: int = 0
    """Frames that never come: the timestamp jumps, the sequence does not."""
    odd_frames: bool = False
    dies_at_ms: int = 0
    """The first stream's connection breaks while the call goes on; 0: never."""
    no_close: bool = False
    """`stop`, and the socket stays open."""
    close_without_stop: bool = False
    abrupt_reset: bool = False
    """At the end a TCP reset, neither `stop` nor close."""
    never_pong: bool = False
    close_is_error: bool = False
    """The application's own close is reported as `stream-error`."""


@dataclass(frozen=True, slots=True)
class MachineFaults:
    """What goes wrong with machine detection."""

    verdict: MachineVerdict | None = None
    """Instead of the right one."""
    twice: bool = False
    after_end: bool = False
    never: bool = False


@dataclass(frozen=True, slots=True)
class Faults:
    """All off by default."""

    rest: RestFaults = field(default_factory=RestFaults)
    callbacks: CallbackFaults = field(default_factory=CallbackFaults)
    signing: SigningFaults = field(default_factory=SigningFaults)
    stream: StreamFaults = field(default_factory=StreamFaults)
    machine: MachineFaults = field(default_factory=MachineFaults)


def system_now() -> datetime:
    """The machine's wall time."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class CarrierSettings:
    """`public_urls` maps origins as the application believes them (and which are signed) to real local ones; other
    addresses are not reached. `faults_by_number`: instead of `faults`, for calls to these. `api_keys` (SK.. and
    secret) open the REST door as the account itself does."""

    account_sid: str
    auth_token: str
    owned_numbers: frozenset[str]
    public_urls: Mapping[str, str]
    api_keys: Mapping[str, str] = field(default_factory=dict)
    allowed_prefixes: tuple[str, ...] = ("+34",)
    blocked_numbers: frozenset[str] = frozenset()
    calls_per_second: float = 1.0
    initiated_after_ms: int = 50
    ringing_after_ms: int = 1_000
    jitter: float = 0.2
    """The part of these two delays by which each is shorter or longer, by chance from `seed`."""
    seed: int = 1
    price_after_ms: int = 500
    price_per_minute_usd: float = 0.0486
    """To Spanish mobiles; the price is filled in a while after the end, rounded up to minutes."""
    application_error_ms: int = 4_000
    """How long the English sentence lasts that is spoken where a document cannot be had."""
    first_timestamp_ms: int = 40
    """Of a stream's first frame: small, and not promised."""
    unread_bytes_max: int = 65_536
    """What an application may leave unread of a stream before frames are dropped: about three seconds."""
    kept_sounds_max: int = 50
    """So many finished calls keep their sound; what a recording held is not found after that."""
    record_folder: Path | None = None
    now: Callable[[], datetime] = system_now
    """The wall time in callbacks and resources; durations are measured, whatever this clock does."""
    port: int = 0
    faults: Faults = field(default_factory=Faults)
    faults_by_number: Mapping[str, Faults] = field(default_factory=dict)

    def faults_for(self, number: str) -> Faults:
        """What goes wrong with calls to `number`; the REST door's own faults are everybody's."""
        return self.faults_by_number.get(number, self.faults)

    def local_url(self, url: str) -> str | None:
        """Where a public address really is; None where it is nobody's."""
        for public, real in self.public_urls.items():
            if url == public or url.startswith((f"{public}/", f"{public}?")):
                return real + url[len(public) :]
        return None
