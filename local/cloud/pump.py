"""Carries queue messages, stream records, bus events and schedules to the functions, as the template says."""

from __future__ import annotations

import asyncio
import logging
import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.cloud.bus_worker import BusWorker
from local.cloud.declarations import BusSource, QueueSource, Route, Source, StreamSource, Timer
from local.cloud.delivery import Delivery, Faults
from local.cloud.invoke import Invoker
from local.cloud.queue_worker import QueueWorker
from local.cloud.schedule_worker import ScheduleWorker
from local.cloud.stream_worker import StreamWorker
from local.cloud.template import Template
from shared.adapters.clock import clock_from
from shared.domain.clock import Clock

log = logging.getLogger(__name__)
SETTLE_LOOK_S = 0.05
LOOK_FOR_SHARDS_S = 1.0
# Each source reads with a thread of its own; deletes and sends of all share the rest.
SPARE_THREADS = 8
_CONFIG = Config(connect_timeout=2, read_timeout=10, max_pool_connections=50)
_COUNTS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


class NotSettled(Exception):
    """Something was still under way when the time was over; the text says what."""


@dataclass(frozen=True, slots=True)
class _Mark:
    """How many invocations had begun, and how often each stream had been read."""

    started: int
    polls: tuple[tuple[StreamWorker, int], ...]


class Pump:
    """One worker for each source. Without a `clock`, the one that the process's environment names."""

    def __init__(
        self,
        template: Template,
        sources: Sequence[Source],
        invoker: Invoker,
        duplicate: bool = False,
        *,
        crash: bool = False,
        clock: Clock | None = None,
        endpoint_url: str | None = None,
    ) -> None:
        self._template = template
        self._sources = [source for source in sources if not isinstance(source, Route)]
        self._invoker = invoker
        self._clock = clock or clock_from(os.environ)
        self._threads = ThreadPoolExecutor(
            len(self._sources) + SPARE_THREADS, thread_name_prefix="pump"
        )
        self._delivery = Delivery(invoker, Faults(duplicate, crash), self._threads)
        self._sqs: Any = boto3.client("sqs", config=_CONFIG, endpoint_url=endpoint_url)
        self._dynamodb_streams: Any = boto3.client(
            "dynamodbstreams", config=_CONFIG, endpoint_url=endpoint_url
        )
        self._tasks: list[asyncio.Task[None]] = []
        self._streams: list[StreamWorker] = []
        self._unread = [s.table for s in self._sources if isinstance(s, StreamSource)]
        self._schedules: ScheduleWorker | None = None

    @property
    def failures(self) -> Counter[str]:
        """Failed invocations by function, those of the gateway among them."""
        return self._invoker.failures

    def start(self) -> None:
        """Begin to carry; from within the loop that the functions run in."""
        timers = [source for source in self._sources if isinstance(source, Timer)]
        for source in self._sources:
            if isinstance(source, QueueSource):
                self._spawn(QueueWorker(source, *self._queue(source.queue)).run())
            elif isinstance(source, BusSource):
                self._spawn(BusWorker(source, *self._queue(source.queue)).run())
            elif isinstance(source, StreamSource):
                self._spawn(self._follow(source))
        if timers:
            urls = {t.queue: self._template.physical[t.queue] for t in timers if t.queue}
            self._schedules = ScheduleWorker(timers, urls, self._sqs, self._clock, self._delivery)
            self._spawn(self._schedules.run())

    async def stop(self) -> None:
        """At once: what functions are doing is left alone, long polls end by themselves within a second."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def settle(self, within_s: float = 20.0) -> None:
        """Returns when queues, streams, schedules and functions are idle; raises NotSettled. Dead-letter queues
        count for nothing, messages that wait for their visibility timeout do."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + within_s
        mark = self._mark()
        while True:
            if mark.started != self._invoker.started:
                mark = self._mark()
            busy = self._busy(mark) or await self._full_queues()
            if not busy and mark.started == self._invoker.started:
                return
            if loop.time() > until_s:
                raise NotSettled(f"still under way after {within_s} s: {', '.join(busy)}")
            await asyncio.sleep(SETTLE_LOOK_S)

    def _mark(self) -> _Mark:
        polls = tuple((stream, stream.polls) for stream in self._streams)
        return _Mark(self._invoker.started, polls)

    def _busy(self, mark: _Mark) -> list[str]:
        """What is under way, by name. A stream is idle when a read that began after the mark found nothing."""
        busy = [f"{self._invoker.running} invocations"] if self._invoker.running else []
        if self._schedules is not None and not self._schedules.is_idle:
            busy.append("schedules")
        # A stream whose shards are not known yet has no mark.
        busy += [f"stream of {table}" for table in self._unread]
        busy += [
            f"stream of {stream.source.table}"
            for stream, poll in mark.polls
            if not stream.ended and stream.last_empty <= poll
        ]
        return busy

    async def _full_queues(self) -> list[str]:
        fed = [s.queue for s in self._sources if isinstance(s, QueueSource | BusSource)]
        counts = [(queue, await self._waiting(queue)) for queue in fed]
        return [f"{count} messages in {queue}" for queue, count in counts if count]

    async def _waiting(self, queue: str) -> int:
        loop = asyncio.get_running_loop()
        answer = await loop.run_in_executor(
            self._threads,
            lambda: self._sqs.get_queue_attributes(
                QueueUrl=self._template.physical[queue], AttributeNames=list(_COUNTS)
            ),
        )
        return sum(int(answer["Attributes"].get(name, 0)) for name in _COUNTS)

    async def _follow(self, source: StreamSource) -> None:
        """A worker for each shard of the stream, also of those that follow when one ends."""
        arn = self._template.attributes[source.table, "StreamArn"]
        failures = source.failure_queue
        failure_url = self._template.physical[failures] if failures else None
        known: set[str] = set()
        async with asyncio.TaskGroup() as workers:
            running: set[asyncio.Task[None]] = set()
            while True:
                for shard in [shard for shard in await self._shards(arn) if shard not in known]:
                    known.add(shard)
                    clients = (self._dynamodb_streams, self._sqs)
                    worker = StreamWorker(source, arn, shard, failure_url, clients, self._delivery)
                    self._streams.append(worker)
                    running.add(workers.create_task(worker.run()))
                if known and source.table in self._unread:
                    self._unread.remove(source.table)
                if running:
                    _, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                else:
                    await asyncio.sleep(LOOK_FOR_SHARDS_S)

    async def _shards(self, arn: str) -> list[str]:
        loop = asyncio.get_running_loop()
        try:
            described = await loop.run_in_executor(
                self._threads, lambda: self._dynamodb_streams.describe_stream(StreamArn=arn)
            )
        except (BotoCoreError, ClientError) as error:
            log.warning("a stream cannot be described: %s", type(error).__name__)
            return []
        return [shard["ShardId"] for shard in described["StreamDescription"]["Shards"]]

    def _queue(self, queue: str) -> tuple[str, str, Any, Delivery]:
        arn = self._template.attributes[queue, "Arn"]
        return self._template.physical[queue], arn, self._sqs, self._delivery

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(_say_why)
        self._tasks.append(task)


def _say_why(task: asyncio.Task[None]) -> None:
    """A worker ends only when it is told to; anything else is a fault that must be seen."""
    if not task.cancelled() and task.exception() is not None:
        log.error("a worker of the pump ended", exc_info=task.exception())
