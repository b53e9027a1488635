"""The documents that Twilio runs for a call."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from twilio.twiml.voice_response import Connect, Stream, VoiceResponse

from shared.domain.stream_token import StreamToken

# Each leg after the first is a reconnect; a call that needs more than this is not worth another.
MAX_LEGS = 6


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the carrier finds us, as it must believe it: signatures are made over these."""

    api: str
    stream: str

    def callback(self, call_id: str, attempt: int, what: str) -> str:
        """A webhook of one dial attempt; retried by the carrier on faults and timeouts (connection overrides)."""
        return f"{self.api}/twilio/calls/{call_id}/{attempt}/{what}#rc=3&rp=5xx,ct,rt"


@dataclass(frozen=True, slots=True)
class TokenTimes:
    """How long a leg's token is valid: the first to the end of ringing, later ones to the end of the call."""

    ring_s: int
    limit_s: int

    def expiry(self, leg: int, now: datetime) -> datetime:
        return now + timedelta(seconds=self.ring_s + 30 if leg == 1 else self.limit_s + 120)


def first_document(
    addresses: Addresses,
    secret: bytes,
    call_id: str,
    attempt: int,
    times: TokenTimes,
    now: datetime,
) -> str:
    """Two legs: where the first stream is lost the second follows at once, without a request to anybody."""
    response = VoiceResponse()
    response.append(_connect(addresses, secret, call_id, attempt, 1, times, now))
    response.append(_connect(addresses, secret, call_id, attempt, 2, times, now))
    response.hangup()
    return str(response)


def next_document(
    addresses: Addresses,
    secret: bytes,
    call_id: str,
    attempt: int,
    leg: int,
    times: TokenTimes,
    now: datetime,
) -> str:
    """The leg after `leg`."""
    response = VoiceResponse()
    response.append(_connect(addresses, secret, call_id, attempt, leg + 1, times, now))
    response.hangup()
    return str(response)


def hang_up_document() -> str:
    response = VoiceResponse()
    response.hangup()
    return str(response)


def _connect(
    addresses: Addresses,
    secret: bytes,
    call_id: str,
    attempt: int,
    leg: int,
    times: TokenTimes,
    now: datetime,
) -> Connect:
    token = StreamToken(call_id, attempt, leg, times.expiry(leg, now)).signed(secret)
    action = addresses.callback(call_id, attempt, f"stream-ended/{leg}") if leg > 1 else None
    connect = Connect(action=action) if action else Connect()
    stream = Stream(
        url=addresses.stream,
        status_callback=addresses.callback(call_id, attempt, f"stream/{leg}"),
    )
    stream.parameter(name="token", value=token)
    connect.append(stream)
    return connect
