"""Each fault of the carrier that a test can switch on, seen from the application's side."""

from __future__ import annotations

import asyncio
import time

import pytest
import requests
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from local.carrier.far_end import MachineVerdict, Pickup, PickupPlan
from local.carrier.settings import (
    CallbackFaults,
    Faults,
    MachineFaults,
    RestFaults,
    SigningFaults,
    StreamFaults,
)
from local.carrier.webhooks import signature_headers
from tests.integration.local.carrier.stage import (
    ACCOUNT,
    ANSWER,
    ORIGIN,
    STREAM,
    TOKEN,
    staged,
    wait_for,
)

BUSY = PickupPlan(Pickup.BUSY, 20)
MACHINE = PickupPlan(after_ms=20, verdict=MachineVerdict.MACHINE_START, verdict_after_ms=20)
DETECTION = {
    "machine_detection": "Enable",
    "async_amd": "true",
    "async_amd_status_callback": f"{ORIGIN}/amd",
}
DOCUMENT = f'<Response><Connect><Stream url="{STREAM}/media"/></Connect></Response>'


# --- the REST door


async def test_an_api_key_opens_the_door_and_another_does_not() -> None:
    async with staged(BUSY, api_keys={"SK" + "2" * 32: "key's secret"}) as stage:
        for secret, fits in (("key's secret", True), ("other", False)):
            client = Client("SK" + "2" * 32, secret, ACCOUNT)
            client.api.base_url = stage.carrier.base_url
            if fits:
                assert await asyncio.to_thread(client.calls.list) == []
            else:
                with pytest.raises(TwilioException, match="20003"):
                    await asyncio.to_thread(client.calls.list)


async def test_a_creation_whose_connection_breaks_has_placed_the_call() -> None:
    async with staged(BUSY, Faults(rest=RestFaults(reset_after_creating=1))) as stage:
        with pytest.raises(requests.ConnectionError):
            await stage.place()
        assert len(stage.carrier.calls) == 1


async def test_every_second_request_is_one_too_many_and_answers_take_their_time() -> None:
    faults = RestFaults(refuse_every=2, answer_after_ms=50)
    async with staged(BUSY, Faults(rest=faults)) as stage:
        began_s = time.monotonic()
        await stage.place()
        assert time.monotonic() - began_s >= 0.05
        with pytest.raises(TwilioRestException) as refusal:
            await stage.place()
        assert (refusal.value.status, refusal.value.code) == (429, 20429)


async def test_calls_wait_their_turn() -> None:
    async with staged(BUSY, calls_per_second=20) as stage:
        calls = [await stage.place() for _ in range(3)]
        waited = [int(call.queue_time) for call in calls]
        assert waited[0] == 0
        assert waited == sorted(waited)
        assert waited[2] > 0


async def test_hanging_up_what_is_over_may_also_be_a_400() -> None:
    async with staged(BUSY, Faults(rest=RestFaults(hang_up_error_400=True))) as stage:
        call = await stage.place()
        await stage.settled()
        with pytest.raises(TwilioRestException) as refusal:
            await asyncio.to_thread(stage.client.calls(call.sid).update, status="completed")
        assert (refusal.value.status, refusal.value.code) == (400, 21220)


# --- callbacks


async def test_the_first_callback_may_come_before_the_answer_to_the_order() -> None:
    faults = CallbackFaults(initiated_before_answer=True)
    async with staged(BUSY, Faults(callbacks=faults)) as stage:
        await stage.place()
        assert stage.app.statuses() == ["initiated"]
        await stage.settled()
        assert stage.app.statuses() == ["initiated", "ringing", "busy"]


async def test_callbacks_are_dropped_delayed_past_the_end_and_reordered() -> None:
    faults = CallbackFaults(drop=frozenset({"ringing"}), after_end=frozenset({"initiated"}))
    async with staged(BUSY, Faults(callbacks=faults)) as stage:
        await stage.place()
        await wait_for(lambda: stage.app.arrivals() == ["busy", "initiated"])
    async with staged(BUSY, Faults(callbacks=CallbackFaults(reorder=True))) as stage:
        await stage.place()
        await wait_for(lambda: len(stage.app.statuses()) == 3)
        assert stage.app.arrivals()[0] == "busy"


async def test_only_what_is_delivered_again_has_an_idempotency_token() -> None:
    async with staged(BUSY, Faults(callbacks=CallbackFaults(duplicate=True))) as stage:
        await stage.place(status_callback_event=["completed"])
        await wait_for(lambda: len(stage.app.tokens) == 2)
        assert stage.app.tokens[0] is None
        assert stage.app.tokens[1]


async def test_a_refused_callback_is_noted() -> None:
    async with staged(BUSY) as stage:
        stage.app.fail_webhooks = 9
        call = await stage.place(
            status_callback=f"{ORIGIN}/status", status_callback_event=["completed"]
        )
        await wait_for(lambda: stage.carrier.calls[call.sid].notes)
        assert [note.code for note in stage.carrier.calls[call.sid].notes] == [15003]
        # It was delivered once, and is not delivered again.
        assert (stage.app.fail_webhooks, stage.app.reports) == (8, [])
        fetched = await asyncio.to_thread(stage.client.calls(call.sid).fetch)
        assert fetched.status == "busy"


# --- signatures


@pytest.mark.parametrize(("with_port", "origin"), [(False, ORIGIN), (True, f"{ORIGIN}:443")])
async def test_signatures_over_the_port_are_twilios_too(
    with_port: bool, origin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[tuple[dict[str, str], str]] = []
    validate = RequestValidator.validate

    def noted(twilios: RequestValidator, url: str, form: dict[str, str], signed: str) -> bool:
        taken.append((form, signed))
        return bool(validate(twilios, url, form, signed))

    monkeypatch.setattr(RequestValidator, "validate", noted)
    async with staged(BUSY, Faults(signing=SigningFaults(with_port=with_port))) as stage:
        await stage.place()
        await stage.settled()
        assert stage.app.statuses() == ["initiated", "ringing", "busy"]
    # Twilio's validator, told of no port, takes both; which of them it was is in the signature.
    sign = RequestValidator(TOKEN).compute_signature
    assert [signed for _, signed in taken] == [sign(f"{origin}/status", form) for form, _ in taken]


def test_how_requests_are_signed() -> None:
    url = "wss://app.test/media"
    plain = signature_headers("token", SigningFaults(), url, {})
    slash = signature_headers("token", SigningFaults(with_slash=True), url, {})
    wrong = signature_headers("token", SigningFaults(wrong=True), url, {})
    shared = signature_headers("token", SigningFaults(shared_key="key"), url, {})
    assert signature_headers("token", SigningFaults(missing=True), url, {}) == {}
    assert slash == signature_headers("token", SigningFaults(), url + "/", {})
    assert len({one["X-Twilio-Signature"] for one in (plain, slash, wrong, shared)}) == 4
    assert "algorithm=HMAC_SHA256" in shared["X-Twilio-Webhooks-Signature-Settings"]


# --- streams


async def test_frames_stall_and_come_in_a_burst_and_others_never_come() -> None:
    faults = StreamFaults(stall_at_ms=100, stall_ms=100, skip_at_ms=300, skip_ms=60)
    async with staged(ANSWER, Faults(stream=faults)) as stage:
        await stage.place(twiml=DOCUMENT)
        await wait_for(lambda: len(stage.app.frames) >= 25)
        stamps = [int(frame["media"]["timestamp"]) for frame in stage.app.frames]
        numbers = [int(frame["sequenceNumber"]) for frame in stage.app.frames]
        expected = [ms + 40 for ms in range(0, 2_000, 20) if not 300 <= ms < 360]
        assert stamps == expected[: len(stamps)]
        assert numbers == list(range(2, len(numbers) + 2))


async def test_frames_of_odd_sizes() -> None:
    async with staged(ANSWER, Faults(stream=StreamFaults(odd_frames=True))) as stage:
        await stage.place(twiml=DOCUMENT)
        await wait_for(lambda: len(stage.app.frames) >= 4)
        assert len({len(frame["media"]["payload"]) for frame in stage.app.frames}) == 2


@pytest.mark.parametrize(
    ("faults", "stops", "closes"),
    [
        (StreamFaults(), True, True),
        (StreamFaults(no_close=True), True, False),
        (StreamFaults(close_without_stop=True), False, True),
        (StreamFaults(abrupt_reset=True), False, True),
    ],
)
async def test_how_a_stream_may_end(faults: StreamFaults, stops: bool, closes: bool) -> None:
    async with staged(ANSWER, Faults(stream=faults)) as stage:
        await stage.place(twiml=DOCUMENT)
        socket = await asyncio.wait_for(stage.app.streams.get(), 5)
        stage.app.person.leave_at_ms = 0
        await stage.settled()
        if closes:
            await wait_for(lambda: socket.closed or socket.close_code is not None)
        assert any(message["event"] == "stop" for message in stage.app.messages) is stops
        assert (socket.close_code is not None) is closes


async def test_a_close_by_the_application_may_be_reported_as_an_error() -> None:
    callback = f'statusCallback="{ORIGIN}/stream"'
    document = DOCUMENT.replace("<Stream ", f"<Stream {callback} ")
    async with staged(ANSWER, Faults(stream=StreamFaults(close_is_error=True))) as stage:
        await stage.place(twiml=document)
        socket = await asyncio.wait_for(stage.app.streams.get(), 5)
        await socket.close()
        await stage.settled()
        events = [r["StreamEvent"] for r in stage.app.reports if "StreamEvent" in r]
        assert events == ["stream-started", "stream-error"]


@pytest.mark.parametrize("never", [False, True])
async def test_pings_are_answered_unless_told_otherwise(never: bool) -> None:
    async with staged(ANSWER, Faults(stream=StreamFaults(never_pong=never))) as stage:
        await stage.place(twiml=DOCUMENT)
        socket = await asyncio.wait_for(stage.app.streams.get(), 5)
        await socket.ping(b"there?")
        seen = len(stage.app.frames)
        # Frames come in order: once more of them are here, an answer would be too.
        await wait_for(lambda: len(stage.app.frames) > seen + 10)
        assert (stage.app.pongs == [b"there?"]) is not never


async def test_what_breaks_the_protocol_is_noted_once_and_does_not_end_the_call() -> None:
    async with staged(ANSWER) as stage:
        call = await stage.place(twiml=DOCUMENT)
        socket = await asyncio.wait_for(stage.app.streams.get(), 5)
        sid = stage.app.starts[0]["streamSid"]
        for text in (
            "no json",
            '{"event": "sing"}',
            '{"event": "clear", "streamSid": "other"}',
            f'{{"event": "clear", "streamSid": "{sid}", "extra": 1}}',
            f'{{"event": "media", "streamSid": "{sid}", "media": {{"payload": "%"}}}}',
        ):
            await socket.send_str(text)
        await socket.send_bytes(b"\x00")
        await wait_for(lambda: len(stage.carrier.violations) == 6)
        assert [note.code for note in stage.carrier.calls[call.sid].notes] == [31951, 31950]
        assert not stage.carrier.calls[call.sid].is_over


# --- machine detection


@pytest.mark.parametrize(
    ("faults", "verdicts"),
    [(MachineFaults(), 1), (MachineFaults(twice=True), 2), (MachineFaults(never=True), 0)],
)
async def test_verdicts_come_once_twice_or_never(faults: MachineFaults, verdicts: int) -> None:
    async with staged(MACHINE, Faults(machine=faults)) as stage:
        await stage.place(twiml=DOCUMENT, **DETECTION)
        stage.app.person.leave_at_ms = 200
        await stage.settled()
        found = [r for r in stage.app.reports if "MachineDetectionDuration" in r]
        assert len(found) == verdicts


async def test_a_verdict_after_the_end() -> None:
    async with staged(MACHINE, Faults(machine=MachineFaults(after_end=True))) as stage:
        await stage.place(twiml=DOCUMENT, **DETECTION)
        stage.app.person.leave_at_ms = 60
        await wait_for(lambda: any("MachineDetectionDuration" in r for r in stage.app.reports))
        call = next(iter(stage.carrier.calls.values()))
        assert call.is_over
