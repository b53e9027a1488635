"""One leg of a call, from the first frame to the last word."""

from __future__ import annotations

import asyncio
import base64
import gc
import json
import threading
import time
import weakref
from datetime import datetime

import pytest

from media_service import bridge as bridge_module
from media_service import reception
from media_service.bridge import Bridge
from media_service.engine.machine import Machine
from media_service.phone import line as line_module
from media_service.phone.line import MAX_BAD_FRAMES
from shared.adapters.leases import Lease
from shared.domain.call import FactKind
from shared.domain.conversation import CloseCause, Turn, Usage
from shared.domain.journal import Closed, Moments
from tests.integration.media_service.house import (
    AGENT_FIRST,
    ITEM,
    World,
    open_house,
    opened,
    texts,
)

SOUND = base64.b64encode(bytes(1_600)).decode()


async def looked_for_the_end(world: World) -> None:
    """Until nobody looks any more for the end of a lost line's call."""
    looks = world.store.requests.count("get")
    await asyncio.wait_for(world.server._reception.settled(), 5)
    assert world.store.requests.count("get") > looks


async def test_the_callees_frames_reach_the_model_untouched_and_in_order() -> None:
    async with open_house() as world, world.line() as line:
        for n in range(5):
            await line.frame(f"AAA{n}", n)
        session = await world.model.next()
        await session.until("input_audio_buffer.append", 5)
        assert session.sound == [f"AAA{n}" for n in range(5)]


async def test_the_opening_starts_within_50_ms_of_the_start_where_sofia_speaks_first() -> None:
    async with open_house(AGENT_FIRST) as world:
        async with world.line("warm") as line:
            await line.until("media")
        loop = asyncio.get_running_loop()
        async with world.line() as line:
            began_s = loop.time()
            await line.until("media")
            assert line.got_at[0] - began_s < 0.05
        await world.until_idle()


async def test_the_call_counts_from_its_start_message_however_long_admission_takes() -> None:
    async with open_house(AGENT_FIRST) as world:
        world.store.slow_s = 0.1
        async with world.line() as line:
            await line.until("media")
            await line.stop()
            await line.until_closed()
        (closed,) = world.recorded(Closed)
        assert closed.at_ms >= 300
        assert (
            world.store.calls["c1"].fact(FactKind.STREAM_STARTED).at
            == (world.store.answered_at["c1"])
        )


async def test_the_models_session_is_there_before_admission_is_through() -> None:
    async with open_house() as world:
        world.store.slow_s = 0.2
        async with world.line() as line:
            await world.model.next()
            assert "record" not in world.store.requests
            await line.stop()


async def test_a_hang_up_closes_the_call_and_the_models_session() -> None:
    async with open_house() as world, world.line() as line:
        session = await world.model.next()
        await opened(world, line, session)
        await line.stop()
        assert await line.until_closed() == 1000
        await world.model.all_closed()
        await world.until_idle()
        closed = world.fact(FactKind.CONVERSATION_CLOSED)
        assert closed is not None
        assert closed.detail == CloseCause.CALLEE_HUNG_UP
        assert [type(entry.body) for entry in world.store.journal][-1] is Closed


async def test_a_lost_socket_leaves_the_call_open_for_the_next_leg() -> None:
    async with open_house() as world, world.line() as line:
        session = await world.model.next()
        await opened(world, line, session)
        line.socket.transport.abort()
        await world.until_idle()
        await looked_for_the_end(world)
        assert world.fact(FactKind.CONVERSATION_CLOSED) is None
        assert world.recorded(Closed) == []
        assert world.load.lost == 1
        await world.model.all_closed()


# --- frames that do not belong to the stream


async def send_bad(line, kind: str) -> None:
    other = {"event": "media", "streamSid": "MZ9", "media": {"payload": "b3RoZXI="}}
    match kind:
        case "unreadable":
            await line.socket.send("this is not json: 600000001")
        case "binary":
            media = {"event": "media", "streamSid": line.sid, "media": {"payload": "YmluYXJ5"}}
            await line.socket.send(json.dumps(media).encode())
        case "other_stream":
            await line.socket.send(json.dumps(other))
        case "stop_of_another":
            await line.socket.send(json.dumps({"event": "stop", "streamSid": "MZ9", "stop": {}}))
        case "other_track":
            await line.frame("b3V0Ym91bmQ=", track="outbound")
        case "start_again":
            await line.send("start")


@pytest.mark.parametrize(
    "kind",
    ["unreadable", "binary", "other_stream", "stop_of_another", "other_track", "start_again"],
)
async def test_a_frame_that_is_not_of_the_stream_is_left_alone_and_noted_once(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_house() as world, world.line() as line, world.line("c2", sid="MZ2") as other:
        sessions = [await world.model.next(), await world.model.next()]
        await send_bad(line, kind)
        await send_bad(line, kind)
        await line.frame("R09PRA==")
        await other.frame("T1RIRVI=")
        for session in sessions:
            await session.until("input_audio_buffer.append")
        assert sorted(session.sound[0] for session in sessions) == ["R09PRA==", "T1RIRVI="]
        assert all(len(session.sound) == 1 for session in sessions)
        assert world.load.bad_frames == 2
        assert "sofia_bad_frames_total 2" in world.load.as_metrics()
        noted = [r for r in caplog.records if r.message == "a frame of the phone line is ignored"]
        cause = "other_stream" if kind == "stop_of_another" else kind
        assert [record.cause for record in noted] == [cause]
        assert "600000001" not in caplog.text
        assert world.fact(FactKind.CONVERSATION_CLOSED) is None


async def test_a_line_that_sends_nothing_else_is_closed_and_the_other_call_goes_on() -> None:
    async with open_house() as world, world.line() as line, world.line("c2", sid="MZ2") as other:
        for _ in range(MAX_BAD_FRAMES):
            await line.socket.send("{")
        assert await line.until_closed() == 1008
        await world.until(lambda: world.load.calls == 1)
        assert world.load.lost == 1
        await other.stop()
        await other.until_closed()
        assert world.fact(FactKind.CONVERSATION_CLOSED, "c2") is not None


async def test_a_line_on_which_nothing_arrives_any_more_is_let_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(line_module, "DEAD_AFTER_S", 0.05)
    async with open_house() as world, world.line() as line:
        await world.model.next()
        await line.until_closed()
        await world.until(lambda: world.load.lost == 1)
        await looked_for_the_end(world)
        assert world.fact(FactKind.CONVERSATION_CLOSED) is None


async def test_a_line_that_broke_because_the_callee_hung_up_closes_the_conversation() -> None:
    async with open_house() as world, world.line() as line:
        session = await world.model.next()
        await opened(world, line, session)
        world.report(FactKind.COMPLETED)
        line.socket.transport.abort()
        await world.until(lambda: world.fact(FactKind.CONVERSATION_CLOSED) is not None)
        assert world.fact(FactKind.CONVERSATION_CLOSED).detail == CloseCause.CALLEE_HUNG_UP
        (closed,) = world.recorded(Closed)
        assert closed.cause is CloseCause.CALLEE_HUNG_UP
        assert world.fact(FactKind.DROPPED) is None


async def test_a_line_that_we_let_go_of_is_a_dropped_call_if_the_carrier_does_not_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(line_module, "DEAD_AFTER_S", 0.05)
    async with open_house() as world, world.line() as line:
        await world.model.next()
        await line.until_closed()
        world.report(FactKind.COMPLETED)
        await world.until(lambda: world.fact(FactKind.CONVERSATION_CLOSED) is not None)
        assert world.fact(FactKind.CONVERSATION_CLOSED).detail == CloseCause.MEDIA_LOST
        assert world.fact(FactKind.DROPPED) is not None


async def test_a_lost_line_gives_its_slot_to_the_next_leg_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reception, "LOOK_FOR_END_TIMES", 1)
    monkeypatch.setattr(reception, "LOOK_FOR_END_EVERY_S", 1.0)
    async with open_house(max_calls=1) as world:
        async with world.line() as line:
            session = await world.model.next()
            await opened(world, line, session)
            assert world.load.free_slots == 0
            asked = len(world.store.requests)
            line.socket.transport.abort()
            await world.until_idle()
            # The call's end is still to be looked for.
            assert (world.load.lost, world.store.requests[asked:]) == (1, [])
        async with world.line(leg=2, sid="MZ2") as again:
            session = await world.model.next()
            await again.frame("TkVX")
            await session.until("input_audio_buffer.append")
            assert (world.load.free_slots, world.load.refused) == (0, 0)
            await again.stop()
            assert await again.until_closed() == 1000
        assert world.store.fences["c1"] == 2
        assert world.fact(FactKind.CONVERSATION_CLOSED).detail == CloseCause.CALLEE_HUNG_UP


async def test_a_line_that_breaks_behind_our_own_hang_up_closes_the_conversation() -> None:
    async with open_house() as world, world.line() as line:
        session = await world.model.next()
        tag = await opened(world, line, session)
        spent = {"type": "failed", "error": {"code": "insufficient_quota"}}
        await session.say("response.created", response={"id": "r1", "metadata": {"tag": tag}})
        await session.say(
            "response.done", response={"id": "r1", "status": "failed", "status_details": spent}
        )
        await world.until(lambda: world.carrier.asked == ["CA1"])
        line.socket.transport.abort()
        await world.until(lambda: world.fact(FactKind.CONVERSATION_CLOSED) is not None)
        assert world.fact(FactKind.CONVERSATION_CLOSED).detail == CloseCause.MODEL_LOST


# --- what breaks ends its own call


async def test_a_part_that_fails_again_on_the_next_leg_ends_its_call_and_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    handle = Machine.handle

    def broken(machine: Machine, event: object, now_ms: float):
        if machine.talk.plan.call_id == "c1" and type(event).__name__ == "SpeechStarted":
            raise RuntimeError("a fault of ours")
        return handle(machine, event, now_ms)

    monkeypatch.setattr(Machine, "handle", broken)
    async with open_house() as world, world.line() as line:
        session = await world.model.next()
        async with world.line("c2", sid="MZ2") as other:
            other_session = await world.model.next()
            await session.begins()
            await line.until_closed()
            await world.until(lambda: world.load.lost == 1)
            assert world.carrier.asked == []
            assert world.fact(FactKind.CONVERSATION_CLOSED) is None
            async with world.line(leg=2, sid="MZ3") as again:
                session = await world.model.next()
                await session.begins()
                await again.until_closed()
            assert world.carrier.asked == ["CA1"]
            await world.until(lambda: world.fact(FactKind.DROPPED) is not None)
            assert world.fact(FactKind.CONVERSATION_CLOSED).detail == CloseCause.MEDIA_LOST
            assert world.load.failed == 1
            await opened(world, other, other_session)
            await other.stop()
            await other.until_closed()
            assert world.fact(FactKind.CONVERSATION_CLOSED, "c2").detail == "callee_hung_up"


async def test_a_timer_that_fails_ends_its_call(monkeypatch: pytest.MonkeyPatch) -> None:
    handle = Machine.handle

    def broken(machine: Machine, event: object, now_ms: float):
        if type(event).__name__ == "TimerFired":
            raise RuntimeError("a fault of ours")
        return handle(machine, event, now_ms)

    monkeypatch.setattr(Machine, "handle", broken)
    async with open_house() as world:
        async with world.line() as line:
            await line.until_closed()
        async with world.line(leg=2, sid="MZ2") as again:
            await again.until_closed()
        await world.until(lambda: world.fact(FactKind.DROPPED) is not None)
        assert world.carrier.asked == ["CA1"]


async def test_a_piece_of_sound_that_is_no_base64_is_left_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with open_house() as world, world.line() as line:
        session = await world.model.next()
        tag = await opened(world, line, session)
        await session.say("response.created", response={"id": "r1", "metadata": {"tag": tag}})
        for delta in ("A", SOUND):
            await session.say(
                "response.output_audio.delta", response_id="r1", item_id="a1", delta=delta
            )
        await session.say_raw("no json")
        usage = {"input_token_details": {"text_tokens": 7}, "output_token_details": {}}
        done = {"id": "r1", "status": "completed", "usage": usage}
        await session.say("response.done", response=done)

        def is_taken_in() -> bool:
            return any(use.text_in == 7 for use in world.recorded(Usage))

        await world.until(lambda: is_taken_in() or line.closed.is_set())
        # What comes behind them is still taken in, from the same session.
        assert is_taken_in()
        unreadable = "the model sent a frame that cannot be read"
        assert [r.message for r in caplog.records].count(unreadable) == 2
        assert world.model.knocks == 1
        await line.stop()
        await line.until_closed()
        assert world.fact(FactKind.CONVERSATION_CLOSED).detail == CloseCause.CALLEE_HUNG_UP
        assert world.fact(FactKind.DROPPED) is None


async def test_a_finished_call_leaves_nothing_of_itself_in_the_timer_wheel(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept: list[weakref.ref[Bridge]] = []
    init = Bridge.__init__

    def noted(bridge: Bridge, *arguments: object) -> None:
        init(bridge, *arguments)
        kept.append(weakref.ref(bridge))

    monkeypatch.setattr(bridge_module.Bridge, "__init__", noted)
    async with open_house() as world:
        async with world.line() as line:
            await opened(world, line, await world.model.next())
            await line.stop()
            await line.until_closed()
        await world.until(lambda: gc.collect() >= 0 and kept[0]() is None)
        # What is left of it are deadlines without an owner.
        assert world.wheel._heap


# --- the model


async def test_what_is_said_before_the_session_is_there_is_given_to_it_later() -> None:
    async with open_house() as world:
        world.model.confirms = False
        async with world.line() as line:
            session = await world.model.next()
            await line.frame("QUFB")
            await line.frame("QkJC", 1)
            await session.until("session.update")
            await session.say("session.updated")
            await session.until("input_audio_buffer.append", 2)
            assert session.sound == ["QUFB", "QkJC"]


async def test_a_model_that_cannot_be_had_drops_the_call() -> None:
    async with open_house() as world:
        world.model.refusal = "invalid_api_key"
        async with world.line():
            await asyncio.wait_for(world.carrier.hung_up.wait(), 5)
            assert world.carrier.asked == ["CA1"]
            # Asking again would not help, so nobody did.
            assert world.model.knocks == 1


async def test_a_call_without_a_model_is_told_to_be_dropped() -> None:
    async with open_house() as world:
        world.model.error = "insufficient_quota"
        async with world.line() as line:
            await asyncio.wait_for(world.carrier.hung_up.wait(), 5)
            await line.stop()
            await line.until_closed()
        assert world.fact(FactKind.CONVERSATION_CLOSED).detail == CloseCause.MODEL_LOST
        assert world.fact(FactKind.DROPPED) is not None
        await world.model.all_closed()


async def test_a_lost_session_is_replaced_and_told_what_was_said() -> None:
    async with open_house() as world, world.line() as line:
        session = await world.model.next()
        await opened(world, line, session)
        await session.die()
        again = await world.model.next()
        await again.until(ITEM)
        await line.frame("TkVX")
        await again.until("input_audio_buffer.append")
        assert "¿Diga?" in texts(again)
        assert again.sound == ["TkVX"]
        assert world.model.open == {again}


async def test_a_session_that_runs_out_is_closed_when_it_is_replaced() -> None:
    async with open_house() as world, world.line() as line:
        session = await world.model.next()
        await opened(world, line, session)
        await session.say("error", error={"code": "session_expired"})
        again = await world.model.next()
        assert await session.until_closed() == 1000
        await line.frame("TkVX")
        await again.until("input_audio_buffer.append")
        assert (session.sound, again.sound) == ([], ["TkVX"])
        assert world.model.open == {again}
        assert world.fact(FactKind.CONVERSATION_CLOSED) is None


async def test_when_the_frames_stop_in_mid_speech_silence_goes_to_the_model() -> None:
    async with open_house() as world, world.line() as line:
        session = await world.model.next()
        await line.frame("QUFB")
        await session.begins()
        await session.until("input_audio_buffer.append", 10)
        assert set(session.sound[1:]) == {"/" * 213 + "w=="}


# --- what is measured


async def test_sofias_turn_is_measured_from_the_frames_arrival_to_the_frame_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Our own share: the machine's time, and whatever else happens between socket and socket."""
    handle, written = Machine.handle, Machine.first_frame_written
    came: list[float] = []
    went: list[float] = []

    def slow(machine: Machine, event: object, now_ms: float):
        if type(event).__name__ == "SpeechStopped":
            came.append(now_ms)
            time.sleep(0.03)
        return handle(machine, event, now_ms)

    def noted(machine: Machine, now_ms: float) -> None:
        went.append(now_ms)
        written(machine, now_ms)

    monkeypatch.setattr(Machine, "handle", slow)
    monkeypatch.setattr(Machine, "first_frame_written", noted)
    async with open_house() as world, world.line() as line:
        await opened(world, line, await world.model.next())
        assert 30 <= went[0] - came[0] < 200
        await line.stop()
        await line.until_closed()
        (moments, *_) = world.recorded(Moments)
        assert moments is not None


async def test_the_callees_words_lie_where_they_were_spoken_however_late_a_session_is() -> None:
    """The session's clock counts sound: what waited for it began before it."""
    async with open_house() as world:
        world.model.confirms = False
        async with world.line() as line:
            session = await world.model.next()
            for n in range(100):
                await line.frame(n=n)
            await session.until("session.update")
            await session.say("session.updated")
            await session.until("input_audio_buffer.append", 100)
            # With 300 ms of padding before it: the callee began 700 ms after the answer, and spoke for 800 ms.
            await session.say("input_audio_buffer.speech_started", item_id="u1", audio_start_ms=400)
            await session.say("input_audio_buffer.speech_stopped", item_id="u1", audio_end_ms=1_700)
            await world.until(lambda: bool(world.recorded(Turn)))
            (turn, *_) = world.recorded(Turn)
            # No more of the clock has passed than the test took to send two seconds of sound.
            assert turn.started_ms <= 700


async def test_a_slow_store_keeps_nobody_from_hanging_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reception, "RENEW_WITHIN_S", 0.05)
    may_answer = threading.Event()
    answered: list[str] = []

    def slow(lease: Lease, _now: datetime) -> None:
        may_answer.wait(2)
        answered.append(lease.call_id)

    async with open_house() as world, world.line() as line:
        session = await world.model.next()
        await opened(world, line, session)
        monkeypatch.setattr(world.store, "renew", slow)
        await session.hears("Deje su mensaje después de la señal", "item2")
        await asyncio.wait_for(world.carrier.hung_up.wait(), 5)
        assert (world.carrier.asked, answered) == (["CA1"], [])
        may_answer.set()
        await line.stop()
        await line.until_closed()
        # It had been asked, and answered too late.
        await world.until(lambda: answered == ["c1"])
        assert world.fact(FactKind.CONVERSATION_CLOSED).detail == CloseCause.VOICEMAIL
