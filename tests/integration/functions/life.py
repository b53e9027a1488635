"""A whole call's life through the real handlers on the emulated cloud, step by step, with a crash wherever wanted.

Everything that a function writes is counted: items, messages, events, objects, rows, and the order to the carrier. After
the write with the wanted number the function dies; what the service would deliver again is delivered again.
"""

from __future__ import annotations

import base64
import contextlib
import importlib
import json
import threading
import urllib.parse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import patch

import boto3
from botocore.client import BaseClient

from local.carrier.webhooks import signature
from local.cloud.declarations import BusSource, QueueSource, StreamSource
from local.cloud.invoke import LambdaContext
from local.cloud.template import Template
from shared.adapters import aws_clients
from shared.adapters.carrier import Carrier
from shared.adapters.clock import CLOCK_FILE_VARIABLE, SharedClock
from shared.adapters.database import Database
from shared.adapters.journal import Journal
from shared.adapters.leases import LeaseRefused, Leases
from shared.adapters.live_calls import LiveCalls
from shared.adapters.twiml import MAX_LEGS
from shared.config import use_environment
from shared.domain.call import Call, Fact, FactKind
from shared.domain.journal import JournalEntry
from shared.domain.stream_token import StreamToken
from tests.integration.functions.stage import NOW, SetClock, TestStage
from tests.sample_calls import CONVERSATION

ORIGIN = "https://api.sofia.test"
TRIES = 4
S = TypeVar("S")
_WRITES = frozenset(
    {
        "PutItem",
        "UpdateItem",
        "DeleteItem",
        "TransactWriteItems",
        "BatchWriteItem",
        "SendMessage",
        "PutEvents",
        "PutObject",
    }
)


class Story(Enum):
    """What happens to a call, and so which functions have to do with it."""

    TALK = auto()
    """A talk to its end, with a verdict on machine or human and a stream that comes and goes."""
    STREAM_LOST = auto()
    """The last stream of the call breaks: the carrier is told to hang up."""
    WITHDRAWN = auto()
    """The client stops the call before it is dialled."""
    STOPPED = auto()
    """The client stops the call in talk, and the carrier does not answer at first."""
    UNREPORTED = auto()
    """The media task dies, and the carrier's last callback never comes: the reconciler is left."""
    LOST_AND_FOUND = auto()
    """The carrier knows nothing of the call until it was given up and read; then it tells how it ended."""


class Crash(BaseException):
    """The function's process is gone. No `except Exception` stops it."""


class BookOfCalls:
    """A carrier on a real socket that takes every order and tells what it knows."""

    def __init__(self) -> None:
        self.calls: list[dict[str, str]] = []
        self.unanswered_updates = 0
        self.knows_nothing = False
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def to(self, number: str) -> list[dict[str, str]]:
        return [call for call in self.calls if call["to"] == number]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        book = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                form = dict(urllib.parse.parse_qsl(self.rfile.read(length).decode()))
                if self.path.endswith("/Calls.json"):
                    call = {
                        "sid": f"CA{len(book.calls):032x}",
                        "status": "queued",
                        "to": form["To"],
                        "from": form["From"],
                        "callback": form["StatusCallback"],
                        "date_created": format_datetime(datetime.now(UTC)),
                    }
                    book.calls.append(call)
                    self._send(201, call)
                    return
                if book.unanswered_updates:
                    book.unanswered_updates -= 1
                    self._send(503, {"code": 20500, "message": "no", "status": 503})
                    return
                call = self._named()
                if form["Status"] == "completed" or call["status"] in ("queued", "ringing"):
                    call["status"] = form["Status"]
                self._send(200, call)

            def do_GET(self) -> None:
                url = urllib.parse.urlsplit(self.path)
                if book.knows_nothing:
                    self._send(404, {"code": 20404, "message": "no", "status": 404})
                elif url.path.endswith("/Calls.json"):
                    wanted = dict(urllib.parse.parse_qsl(url.query))
                    found = [call for call in book.calls if call["to"] == wanted.get("To")]
                    pages = {"page": 0, "page_size": 50, "next_page_uri": None}
                    self._send(200, {"calls": found, **pages})
                else:
                    self._send(200, self._named())

            def _named(self) -> dict[str, str]:
                sid = self.path.rpartition("/")[2].partition(".")[0]
                return next(call for call in book.calls if call["sid"] == sid)

            def _send(self, status: int, body: Any) -> None:
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        return Handler


@dataclass
class Writes:
    """The writes of the functions in one life, by name, and after which one the function dies."""

    crash_after: int | None = None
    names: list[str] = field(default_factory=list)
    function: str | None = None
    events: list[tuple[str, str]] = field(default_factory=list)

    def made(self, operation: str) -> None:
        if self.function is None:
            return
        self.names.append(f"{self.function}: {operation}")
        if len(self.names) == self.crash_after:
            raise Crash(self.names[-1])


@dataclass
class Outcome:
    """How a life ended."""

    call_id: str
    status: str
    end_reason: str | None
    dials: int
    events: dict[str, set[str]]
    rows: int
    archived: bool
    active_calls: int
    stored_outcome: str | None
    stored_end_reason: str | None


class World:
    """Handlers, tables, queues, bus, carrier; one for many lives."""

    def __init__(
        self, template: Template, database: Mapping[str, str], text_model_url: str, folder: Path
    ) -> None:
        self._template = template
        self._database = dict(database)
        self._clock_file = folder / "clock"
        self.clock = SharedClock(self._clock_file)
        self.carrier = BookOfCalls()
        self._overrides = {
            CLOCK_FILE_VARIABLE: str(self._clock_file),
            "TWILIO_API_BASE_URL": self.carrier.url,
            "OPENAI_BASE_URL": text_model_url,
            "MEDIA_READY_URL": "",
            **self._database,
        }
        self._functions = template.functions()
        self._sources = template.events()
        self._sqs: Any = boto3.client("sqs")
        self._streams: Any = boto3.client("dynamodbstreams")
        self._writes = Writes()
        self._twice = False
        self._iterators: dict[str, str] = {}
        for source in self._of(StreamSource):
            self._iterators[source.table] = self._latest(source.table)
        self._pending: dict[str, list[dict[str, Any]]] = {table: [] for table in self._iterators}
        self._forget_compositions()

    def stop(self) -> None:
        self._forget_compositions()
        self.carrier.stop()

    def _forget_compositions(self) -> None:
        """Handlers compose themselves once in a process, for the cloud they find."""
        for function in self._functions.values():
            module = importlib.import_module(function.handler.rpartition(".")[0])
            compose = getattr(module, "compose", None)
            if compose is not None:
                compose.cache_clear()

    def _of(self, kind: type[S]) -> list[S]:
        return [source for source in self._sources if isinstance(source, kind)]

    # --- one life

    def live(
        self,
        crash_after: int | None,
        number: str,
        story: Story = Story.TALK,
        *,
        twice: bool = False,
    ) -> tuple[Writes, Outcome]:
        """From the order to the archive; gives the writes made and what came of the call. `twice`: every request,
        message, record and callback comes again at once."""
        self._twice = twice
        self._writes = writes = Writes(crash_after)
        self.clock.set_now(NOW)
        self.carrier.unanswered_updates = (2 if twice else 1) if story is Story.STOPPED else 0
        self.carrier.knows_nothing = story is Story.LOST_AND_FOUND
        stage = TestStage(self._template, SetClock())
        live = LiveCalls(aws_clients.dynamodb(), self._template.physical["LiveTable"])
        with self._watched():
            call_id = self._order(stage.tenant_id, number)
            if story is Story.WITHDRAWN:
                self._stop(stage.tenant_id, call_id)
            self._settle()
            if self.carrier.to(number):
                self._happen(story, live.get(call_id), live)
            # Whatever a dead function left undone is found by the reconciler, minute by minute.
            for minute in range(1, 9):
                self.clock.set_now(NOW + timedelta(minutes=2 * minute))
                self._invoke("ReconcilerFn", {})
                self._settle()
                if not self.carrier.to(number) or live.get(call_id).status == "analysed":
                    continue
                self._happen(story, live.get(call_id), live)
            if story is Story.LOST_AND_FOUND:
                (dialled,) = self.carrier.to(number)
                ended = {"CallStatus": "completed", "CallDuration": "61"}
                self._tell(dialled, "status", ended)
                self._settle()
        return writes, self._outcome(call_id, stage, live, number, writes)

    def _order(self, tenant_id: str, number: str) -> str:
        """The client asks until it has an answer, always with the same key."""
        consent = {
            "basis": "consent_automated",
            "source": "formulario web",
            "at": (NOW - timedelta(days=9)).date().isoformat(),
        }
        lead = {"contact_name": "Carmen", "timezone": "Europe/Madrid", "consent": consent}
        event = {
            "routeKey": "POST /v1/calls",
            "rawPath": "/v1/calls",
            "headers": {"idempotency-key": "order", "content-type": "application/json"},
            "requestContext": {
                "http": {"method": "POST"},
                "authorizer": {"lambda": {"tenant_id": tenant_id, "scopes": "calls:write"}},
            },
            "body": json.dumps({"to": number, "lead": lead}),
        }
        for _ in range(TRIES):
            answer = self._invoke("CallCreationFn", event)
            if answer is not None and answer["statusCode"] == 201:
                return str(json.loads(answer["body"])["call_id"])
            # A key whose first request died is free again once its claim has run out.
            self.clock.set_now(self.clock.now() + timedelta(seconds=61))
        raise AssertionError(f"the order was not taken: {answer}")

    def _stop(self, tenant_id: str, call_id: str) -> None:
        """The client asks once; whatever becomes of the function, the wish is on record or it is not."""
        event = {
            "routeKey": "DELETE /v1/calls/{call_id}",
            "rawPath": f"/v1/calls/{call_id}",
            "headers": {},
            "pathParameters": {"call_id": call_id},
            "requestContext": {
                "http": {"method": "DELETE"},
                "authorizer": {"lambda": {"tenant_id": tenant_id, "scopes": "calls:write"}},
            },
        }
        answer = self._invoke("CallCreationFn", event)
        assert answer is None or answer["statusCode"] == 202, answer

    def _happen(self, story: Story, call: Call, live: LiveCalls) -> None:
        """What the carrier and the media task do next, once more if it is done already."""
        if story is Story.LOST_AND_FOUND:
            return
        (dialled,) = self.carrier.to(call.to_number)
        for status in ("initiated", "ringing", "in-progress"):
            self._report(dialled, status)
        if dialled["status"] == "queued":
            dialled["status"] = "in-progress"
        if not live.get(call.call_id).has(FactKind.CONVERSATION_CLOSED):
            self._begin_talk(dialled, call, live)
        match story:
            case Story.UNREPORTED:
                ended_at = format_datetime(NOW + timedelta(seconds=81))
                dialled.update(status="completed", end_time=ended_at, duration="81")
                return
            case Story.STREAM_LOST:
                self._tell(dialled, f"stream-ended/{MAX_LEGS}", {}, 200)
            case Story.STOPPED:
                if not live.get(call.call_id).has(FactKind.HANG_UP_REQUESTED):
                    self._stop(call.tenant_id, call.call_id)
                if dialled["status"] != "completed":
                    return
            case _:
                pass
        self._end_talk(dialled, call, live)

    def _begin_talk(self, dialled: Mapping[str, str], call: Call, live: LiveCalls) -> None:
        """The media task takes the call, talks and keeps its journal; the carrier tells of stream and verdict."""
        now, table = self.clock.now(), self._template.physical["LiveTable"]
        if not call.has(FactKind.STREAM_STARTED):
            token = StreamToken(call.call_id, 1, 1, now + timedelta(minutes=1))
            with contextlib.suppress(LeaseRefused):
                Leases(aws_clients.dynamodb(), table).take(token, dialled["sid"], "task", now)
        live.record(call.call_id, [Fact(now, FactKind.STREAM_STARTED, 1, "media", "1")])
        self._tell(dialled, "stream/1", {"StreamEvent": "stream-started"})
        self._tell(dialled, "machine", {"AnsweredBy": "human"})
        bodies = (
            *CONVERSATION.turns,
            *CONVERSATION.tools,
            *CONVERSATION.duties,
            *CONVERSATION.follow_ups,
            *CONVERSATION.usage,
        )
        entries = [JournalEntry(call.call_id, n, 1, body) for n, body in enumerate(bodies, 1)]
        Journal(aws_clients.dynamodb(), table, self.clock).append(entries)

    def _end_talk(self, dialled: dict[str, str], call: Call, live: LiveCalls) -> None:
        closed = Fact(self.clock.now(), FactKind.CONVERSATION_CLOSED, 1, "media", "goodbye")
        live.record(call.call_id, [closed])
        self._tell(dialled, "stream/1", {"StreamEvent": "stream-stopped"})
        dialled["status"] = "completed"
        self._report(dialled, "completed")
        self._settle()

    def _report(self, dialled: Mapping[str, str], status: str) -> None:
        self._tell(dialled, "status", {"CallStatus": status})

    def _tell(
        self, dialled: Mapping[str, str], what: str, fields: Mapping[str, str], wanted: int = 204
    ) -> None:
        """A signed callback, tried again as our addresses ask for."""
        base = urllib.parse.urlsplit(dialled["callback"]).path.removesuffix("/status")
        path, form = f"{base}/{what}", {"CallSid": dialled["sid"], **fields}
        _, _, _, call_id, attempt, _ = path.split("/", 5)
        event = {
            "routeKey": "POST /twilio/calls/{call_id}/{attempt}/{event+}",
            "rawPath": path,
            "headers": {"x-twilio-signature": signature("token", ORIGIN + path, form)},
            "pathParameters": {"call_id": call_id, "attempt": attempt, "event": what},
            "requestContext": {"http": {"method": "POST"}},
            "isBase64Encoded": True,
            "body": base64.b64encode(urllib.parse.urlencode(form).encode()).decode(),
        }
        for _ in range(TRIES):
            answer = self._invoke("TwilioCallbacksFn", event)
            if answer is not None and answer["statusCode"] == wanted:
                return
        raise AssertionError(f"the callback {what} was not taken: {answer}")

    # --- delivery, at least once

    def _settle(self) -> None:
        """Deliver until nothing is left."""
        moved = True
        while moved:
            moved = any([*map(self._deliver_stream, self._of(StreamSource))])
            moved |= any([*map(self._deliver_queue, self._of(QueueSource))])
            moved |= any([*map(self._deliver_queue, self._of(BusSource))])

    def _deliver_queue(self, source: QueueSource | BusSource) -> bool:
        """One batch; what is not done stays in the queue."""
        url = self._template.physical[source.queue]
        received = self._sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0, AttributeNames=["All"]
        ).get("Messages", [])
        for message in received:
            record = {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message.get("Attributes", {}),
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-west-1:111122223333:q",
                "awsRegion": "eu-west-1",
                "md5OfBody": message.get("MD5OfBody", ""),
            }
            answer = self._invoke(source.function, {"Records": [record]})
            if answer is not None and not answer.get("batchItemFailures"):
                self._sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return bool(received)

    def _deliver_stream(self, source: StreamSource) -> bool:
        """What is new in the table; what failed comes again, in order."""
        answer = self._streams.get_records(ShardIterator=self._iterators[source.table])
        self._iterators[source.table] = answer["NextShardIterator"]
        pending = self._pending[source.table]
        pending += json.loads(json.dumps(answer["Records"], default=str))
        if not pending:
            return False
        records = [{**one, "eventSource": "aws:dynamodb"} for one in pending]
        done = self._invoke(source.function, {"Records": records})
        if done is not None:
            failed = [one["itemIdentifier"] for one in done["batchItemFailures"]]
            numbers = [one["dynamodb"]["SequenceNumber"] for one in pending]
            first = numbers.index(failed[0]) if failed else len(numbers)
            del pending[:first]
        return True

    def _latest(self, table: str) -> str:
        name = self._template.physical[table]
        (stream,) = self._streams.list_streams(TableName=name)["Streams"]
        arn = stream["StreamArn"]
        (shard,) = self._streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        iterator: str = self._streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="LATEST"
        )["ShardIterator"]
        return iterator

    # --- functions that may die

    def _invoke(self, logical_id: str, event: Any) -> Any:
        """The answer; None where the function died."""
        function = self._functions[logical_id]
        module, _, name = function.handler.rpartition(".")
        handler = getattr(importlib.import_module(module), name)
        self._writes.function = logical_id.removesuffix("Fn")
        context = LambdaContext(logical_id, "request", 9e9)
        try:
            with use_environment({**function.environment, **self._overrides}):
                answer = handler(json.loads(json.dumps(event)), context)
                if self._twice:
                    handler(json.loads(json.dumps(event)), context)
                return answer
        except Crash:
            # A new process composes itself anew.
            compose = getattr(importlib.import_module(module), "compose", None)
            if compose is not None:
                compose.cache_clear()
            return None
        finally:
            self._writes.function = None

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        """Count writes and die after the wanted one."""
        world = self
        call_api: Callable[..., Any] = BaseClient._make_api_call  # type: ignore[attr-defined]
        dial, update, work = Carrier.dial, Carrier._update, Database.work

        def watched_call(client: Any, operation: str, arguments: Any) -> Any:
            answer = call_api(client, operation, arguments)
            if operation == "PutEvents" and world._writes.function is not None:
                world._writes.events += [
                    (entry["DetailType"], json.loads(entry["Detail"])["meta"]["id"])
                    for entry in arguments["Entries"]
                ]
            if operation in _WRITES:
                world._writes.made(operation)
            return answer

        def watched_dial(carrier: Carrier, order: Any) -> str:
            sid = dial(carrier, order)
            world._writes.made("order to the carrier")
            return sid

        def watched_update(carrier: Carrier, *arguments: Any) -> Any:
            answer = update(carrier, *arguments)
            world._writes.made("stop at the carrier")
            return answer

        @contextlib.contextmanager
        def watched_work(database: Database, *arguments: Any, **named: Any) -> Iterator[Any]:
            with work(database, *arguments, **named) as connection:
                yield connection
            world._writes.made("commit")

        with (
            patch.object(BaseClient, "_make_api_call", watched_call),
            patch.object(Carrier, "dial", watched_dial),
            patch.object(Carrier, "_update", watched_update),
            patch.object(Database, "work", watched_work),
        ):
            yield

    # --- what came of it

    def _outcome(
        self, call_id: str, stage: TestStage, live: LiveCalls, number: str, writes: Writes
    ) -> Outcome:
        call = live.get(call_id)
        rows = self._rows(stage.tenant_id)
        prefix = f"calls/{stage.tenant_id}/"
        s3: Any = aws_clients.s3()
        bucket = self._functions["HistoryFn"].environment["ARCHIVE_BUCKET"]
        objects = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        events: dict[str, set[str]] = {}
        for kind, event_id in writes.events:
            if event_id.startswith(call_id):
                events.setdefault(kind, set()).add(event_id)
        return Outcome(
            call_id=call_id,
            status=call.status.value,
            end_reason=call.end_reason.value if call.end_reason else None,
            dials=len(self.carrier.to(number)),
            events=events,
            rows=len(rows),
            archived=len(objects) == 1,
            active_calls=live.active_calls(stage.tenant_id),
            stored_outcome=rows[0]["outcome"] if rows else None,
            stored_end_reason=rows[0]["end_reason"] if rows else None,
        )

    def _rows(self, tenant_id: str) -> Sequence[dict[str, Any]]:
        from shared.adapters.database import connector

        database = Database(connector(self._database))
        try:
            with database.work(tenant_id) as connection:
                found = connection.execute("SELECT outcome, end_reason FROM calls").fetchall()
            return list(found)
        finally:
            database.close()
