"""The carrier stamps by the clock it is given and measures by none that can be moved."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from tests.integration.local.carrier.stage import ANSWER, ORIGIN, STREAM, staged

AHEAD = datetime(2030, 5, 6, 10, 0, tzinfo=UTC)
DOCUMENT = (
    f'<Response><Connect><Stream url="{STREAM}/media" statusCallback="{ORIGIN}/stream"/>'
    "</Connect></Response>"
)


class MovedClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.moment = AHEAD

    def now(self) -> datetime:
        return self.moment


async def test_callbacks_and_resources_carry_the_given_time_and_durations_do_not() -> None:
    clock = MovedClock()
    async with staged(ANSWER, now=clock.now) as stage:
        call = await stage.place(twiml=DOCUMENT)
        await asyncio.wait_for(stage.app.streams.get(), 5)
        clock.moment += timedelta(days=7)
        stage.app.person.leave_at_ms = 0
        await stage.settled()
        fetched = await asyncio.to_thread(stage.client.calls(call.sid).fetch)
        assert (fetched.date_created, fetched.start_time) == (AHEAD, AHEAD)
        assert (fetched.end_time, fetched.duration) == (AHEAD + timedelta(days=7), "1")
        stamps = {
            report["CallStatus"]: parsedate_to_datetime(report["Timestamp"])
            for report in stage.app.reports
            if "SequenceNumber" in report
        }
        assert (stamps["in-progress"], stamps["completed"]) == (AHEAD, fetched.end_time)
        started = [r for r in stage.app.reports if r.get("StreamEvent") == "stream-started"]
        assert datetime.fromisoformat(started[0]["Timestamp"]) == AHEAD
