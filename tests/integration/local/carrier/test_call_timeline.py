"""When a call rings, is answered and ends, whatever its callbacks and its far ends do."""

from __future__ import annotations

import asyncio
import time

import pytest
from twilio.base.exceptions import TwilioRestException

from local.carrier.call import EmulatedCall
from local.carrier.far_end import FarFrame, Pickup, PickupPlan
from tests.integration.local.carrier.stage import (
    ANSWER,
    CALLEE,
    ORIGIN,
    STREAM,
    Person,
    Stage,
    staged,
    wait_for,
)

PAUSE = "<Response><Pause length='30'/></Response>"
NOBODY = PickupPlan(Pickup.NO_ANSWER, 60_000)


async def update(stage: Stage, sid: str, **changes: object) -> str:
    call = await asyncio.to_thread(stage.client.calls(sid).update, **changes)
    return str(call.status)


class Breaking(Person):
    """Something in it fails a moment after the answer."""

    def exchange(self, heard: bytes, at_ms: int) -> FarFrame:
        if at_ms >= 100:
            raise RuntimeError("broken")
        return super().exchange(heard, at_ms)


async def test_a_call_waits_for_none_of_its_callbacks() -> None:
    async with staged(ANSWER) as stage:
        stage.app.answer_after_s = 1.0
        began_s = time.monotonic()
        call = await stage.place(twiml=PAUSE)
        await wait_for(lambda: stage.carrier.calls[call.sid].status == "in-progress")
        assert time.monotonic() - began_s < 0.9
        assert await update(stage, call.sid, status="completed") == "completed"
        await stage.settled()
        assert stage.app.statuses() == ["initiated", "ringing", "in-progress", "completed"]


async def test_a_queued_call_is_canceled_before_its_turn() -> None:
    async with staged(ANSWER, calls_per_second=0.01) as stage:
        await stage.place(twiml=PAUSE)
        waiting = await stage.place(twiml=PAUSE, status_callback_event=["completed"])
        assert int(waiting.queue_time) > 50_000
        assert await update(stage, waiting.sid, status="canceled") == "canceled"
        await wait_for(lambda: "canceled" in stage.app.statuses())


async def test_a_time_limit_is_counted_from_the_answer() -> None:
    async with staged(PickupPlan(after_ms=1_300, verdict=None)) as stage:
        call = await stage.place(twiml=PAUSE)
        await wait_for(lambda: stage.carrier.calls[call.sid].status == "ringing")
        assert await update(stage, call.sid, time_limit=1) == "ringing"
        await stage.settled()
        record = stage.carrier.calls[call.sid]
        assert (record.status, record.duration_s) == ("completed", 1)
        assert [note.code for note in record.notes] == [32015]


async def test_a_time_limit_out_of_range_is_refused() -> None:
    async with staged(NOBODY) as stage:
        call = await stage.place(twiml=PAUSE)
        with pytest.raises(TwilioRestException) as refusal:
            await update(stage, call.sid, time_limit=0)
        assert (refusal.value.status, refusal.value.code) == (400, 20001)


async def test_a_far_end_that_breaks_costs_its_own_call_only() -> None:
    async with staged(ANSWER) as stage:
        stage.app.others["+34600000077"] = Breaking(ANSWER)
        sound = f'<Response><Connect><Stream url="{STREAM}/media"/></Connect></Response>'
        good = await stage.place(twiml=sound)
        await asyncio.wait_for(stage.app.streams.get(), 5)
        bad = await stage.place(to="+34600000077", twiml=PAUSE)
        await wait_for(lambda: stage.carrier.calls[bad.sid].is_over)
        seen = len(stage.app.frames)
        await wait_for(lambda: len(stage.app.frames) > seen + 5)
        assert not stage.carrier.calls[good.sid].is_over


async def test_only_the_last_calls_keep_their_sound() -> None:
    async with staged(ANSWER, kept_sounds_max=1) as stage:
        stage.app.person.leave_at_ms = 100
        sids = []
        for _ in range(2):
            sids.append((await stage.place(twiml=PAUSE)).sid)
            await wait_for(lambda: stage.carrier.calls[sids[-1]].is_over)
        calls = [stage.carrier.calls[sid] for sid in sids]
        sounds = [c.line.sound for c in calls if isinstance(c, EmulatedCall) and c.line]
        await wait_for(lambda: not sounds[0].spoken)
        assert sounds[1].spoken


async def test_a_peer_that_never_answers_the_close_does_not_delay_the_end() -> None:
    async with staged(ANSWER) as stage:
        stage.app.deaf = True
        call = await stage.place(
            twiml=f'<Response><Connect><Stream url="{STREAM}/media"/></Connect></Response>'
        )
        await wait_for(lambda: stage.app.deaf_sockets == 1)
        began_s = time.monotonic()
        await update(stage, call.sid, status="completed")
        await stage.settled()
        assert time.monotonic() - began_s < 1.0


async def test_say_and_play_are_repeated() -> None:
    async with staged(ANSWER) as stage:
        after = stage.app.xml("/after", "<Hangup/>")
        began_s = time.monotonic()
        await stage.place(
            twiml=f'<Response><Say loop="5">Hola</Say><Redirect>{after}</Redirect></Response>'
        )
        await wait_for(lambda: stage.app.asked("/after"))
        assert time.monotonic() - began_s >= 5 * 4 * 0.06
        stage.app.xml("/after", '<Say loop="0">Hola</Say><Hangup/>')
        endless = await stage.place(
            twiml=f"<Response><Redirect>{ORIGIN}/after</Redirect></Response>"
        )
        await wait_for(lambda: len(stage.app.asked("/after")) == 2)
        assert await update(stage, endless.sid, status="completed") == "completed"
        assert endless.to == CALLEE
