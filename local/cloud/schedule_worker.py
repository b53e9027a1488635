"""Fires schedules by the twin's own clock: when the clock is moved, what became due meanwhile fires.

A schedule that became due several times since the last look fires once, for the latest time: a moved clock is a
machine that slept, not one that works off a week.
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local.cloud.declarations import Timer, TimerOrigin
from local.cloud.delivery import Delivery
from local.cloud.invoke import InvocationFailed
from local.cloud.ministack import ACCOUNT, REGION
from shared.domain.clock import Clock

log = logging.getLogger(__name__)
# The clock may be moved at any time, by anybody who maps it: it is looked at, not waited for.
LOOK_EVERY_S = 0.2
RETRY_AFTER_S = 1.0
REPEAT_AFTER_S = 0.5
_BACKWARDS = timedelta(seconds=1)


@dataclass(slots=True)
class _Armed:
    timer: Timer
    start: datetime
    due: datetime | None


class ScheduleWorker:
    """All schedules of the template. `queue_urls` are those of the queues that are targets."""

    def __init__(
        self,
        timers: Sequence[Timer],
        queue_urls: dict[str, str],
        sqs: Any,
        clock: Clock,
        delivery: Delivery,
    ) -> None:
        self._queue_urls = queue_urls
        self._sqs = sqs
        self._clock = clock
        self._delivery = delivery
        self._looked = clock.now()
        self._armed = [self._arm(timer, self._looked) for timer in timers]
        self._firings: set[asyncio.Task[None]] = set()

    @property
    def is_idle(self) -> bool:
        now = self._clock.now()
        return not (self._firings or self._due(now) or self._is_set_back(now))

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                self.look()
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            for task in self._firings:
                task.cancel()

    def look(self) -> None:
        """Fire what is due, the earliest first."""
        now = self._clock.now()
        if self._is_set_back(now):
            self._armed = [self._arm(armed.timer, now) for armed in self._armed]
        self._looked = now
        for armed in sorted(self._due(now), key=lambda armed: armed.due or now):
            scheduled = _latest(armed, now)
            armed.due = armed.timer.schedule.next_after(now, armed.start)
            self._begin(armed.timer, scheduled)

    def _due(self, now: datetime) -> list[_Armed]:
        return [armed for armed in self._armed if armed.due is not None and armed.due <= now]

    def _is_set_back(self, now: datetime) -> bool:
        """Whether the clock was moved back since the last look."""
        return now < self._looked - _BACKWARDS

    def _arm(self, timer: Timer, now: datetime) -> _Armed:
        return _Armed(timer, now, timer.schedule.next_after(now, now))

    def _begin(self, timer: Timer, scheduled: datetime) -> None:
        task = asyncio.create_task(self._fire(timer, scheduled))
        self._firings.add(task)
        task.add_done_callback(self._firings.discard)

    async def _fire(self, timer: Timer, scheduled: datetime) -> None:
        event, faults = scheduled_event(timer, scheduled), self._delivery.faults
        await self._hand_over(timer, event)
        # At least once: a firing may come again, with the same id, while others go on.
        if faults.duplicate or faults.crash:
            await asyncio.sleep(REPEAT_AFTER_S)
            await self._hand_over(timer, event)

    async def _hand_over(self, timer: Timer, event: Any) -> None:
        for attempt in range(timer.retries + 1):
            try:
                if timer.function is not None:
                    await self._delivery.invoker.invoke(timer.function, event)
                else:
                    await self._send(timer, event)
                return
            except (InvocationFailed, BotoCoreError, ClientError) as error:
                log.warning("schedule %s failed: %s", timer.name, type(error).__name__)
                await asyncio.sleep(RETRY_AFTER_S * (attempt + 1))

    async def _send(self, timer: Timer, event: Any) -> None:
        url = self._queue_urls[str(timer.queue)]
        body = event if isinstance(event, str) else json.dumps(event)
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(
            self._delivery.threads,
            lambda: self._sqs.send_message(QueueUrl=url, MessageBody=body),
        )


def _latest(armed: _Armed, now: datetime) -> datetime:
    """The last time, up to now, at which the schedule was due. A long leap is not counted through."""
    due = armed.due or now
    for _ in range(1_000):
        following = armed.timer.schedule.next_after(due, armed.start)
        if following is None or following > now:
            return due
        due = following
    return due


def scheduled_event(timer: Timer, scheduled: datetime) -> Any:
    """What the target gets: the payload the template gives, else the service's usual event."""
    time_text = scheduled.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    by_scheduler = timer.origin is TimerOrigin.SCHEDULER
    resource = f"schedule/default/{timer.name}" if by_scheduler else f"rule/{timer.name}"
    service = "scheduler" if by_scheduler else "events"
    arn = f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"
    event_id = str(uuid.uuid4())
    if timer.payload is None:
        return {
            "version": "0",
            "id": event_id,
            "detail-type": "Scheduled Event",
            "source": timer.origin.value,
            "account": ACCOUNT,
            "time": time_text,
            "region": REGION,
            "resources": [arn],
            "detail": "{}" if by_scheduler else {},
        }
    text = timer.payload
    if by_scheduler:
        for name, value in (
            ("scheduled-time", time_text),
            ("schedule-arn", arn),
            ("execution-id", event_id),
            ("attempt-number", "1"),
        ):
            text = text.replace(f"<aws.scheduler.{name}>", value)
    try:
        return json.loads(text)
    except ValueError:
        return text
