"""The media service as a process: it starts from its environment, drains on SIGTERM, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from twilio.request_validator import RequestValidator
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import serve
from websockets.exceptions import InvalidStatus

from local.cloud.template import Template
from shared.adapters import aws_clients
from shared.adapters.journal import Journal
from shared.adapters.opening_studio import clip_of
from shared.adapters.sounds import OpeningClips
from shared.domain.call import Call, FactKind
from shared.domain.journal import Closed
from shared.domain.stream_token import StreamToken
from tests.integration.conftest import AUTH_TOKEN, PARAMETERS, SECRETS
from tests.integration.functions.stage import SetClock, TestStage
from tests.integration.media_service.house import Line, ScriptedModel, start_message

ROOT = Path(__file__).parents[3]
BUCKET = "clips-of-the-process"


@pytest.fixture
def stage(template: Template) -> TestStage:
    found = TestStage(template, SetClock(datetime.now(UTC)))
    with contextlib.suppress(ClientError):
        aws_clients.s3().create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
    agent = found.directory.agent(found.tenant_id, "sofia", 1)
    OpeningClips(aws_clients.s3(), BUCKET).put(agent, clip_of(agent, b"\xff" * 80_000))
    return found


@asynccontextmanager
async def media_process(
    template: Template, model_port: int
) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    """The process, and the port it listens on."""
    physical = template.physical
    environment = {
        **os.environ,
        "HOST": "127.0.0.1",
        "PORT": "0",
        "LIVE_TABLE": physical["LiveTable"],
        "LEADS_TABLE": physical["LeadsTable"],
        "DIRECTORY_TABLE": physical["DirectoryTable"],
        "SOUNDS_BUCKET": BUCKET,
        "PUBLIC_STREAM_URL": PARAMETERS["PublicStreamUrl"],
        "OPENAI_REALTIME_URL": f"ws://127.0.0.1:{model_port}",
        "TWILIO_API_BASE_URL": PARAMETERS["TwilioApiBaseUrl"],
        "TWILIO_SECRET_ID": physical["TwilioSecret"],
        "OPENAI_SECRET_ID": physical["OpenAiSecret"],
        "SIGNING_SECRET_ID": physical["SigningSecret"],
        "DRAIN_S": "20",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "media_service", env=environment, cwd=ROOT,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), 30)
        yield process, json.loads(line)["listening"]
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def upgrade(port: int) -> connect:
    signature = RequestValidator(AUTH_TOKEN).compute_signature(PARAMETERS["PublicStreamUrl"], {})
    return connect(
        f"ws://127.0.0.1:{port}/media",
        additional_headers={"X-Twilio-Signature": signature},
        proxy=None,
    )


async def begin(socket: ClientConnection, call: Call, leg: int = 1) -> Line:
    secret = SECRETS["SigningSecret"]["stream_token"].encode()
    token = StreamToken(call.call_id, 1, leg, datetime.now(UTC) + timedelta(minutes=2))
    parameters = {"token": token.signed(secret)}
    await socket.send(start_message(call.call_id, customParameters=parameters))
    return Line(socket, "MZ1")


async def test_sigterm_refuses_new_streams_lets_the_call_end_and_leaves(stage: TestStage) -> None:
    call = stage.dialling(FactKind.ANSWERED, sid="CA1")
    model = ScriptedModel()
    async with (
        serve(model.handle, "127.0.0.1", 0) as peer,
        media_process(stage.template, next(iter(peer.sockets)).getsockname()[1]) as (process, port),
        upgrade(port) as socket,
    ):
        line = await begin(socket, call)
        # Sofia speaks: the call is under way.
        await line.until("media")
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            while True:
                try:
                    async with upgrade(port):
                        pass
                except InvalidStatus as refused:
                    assert refused.response.status_code == 503
                    break
        assert process.returncode is None
        await line.stop()
        await line.until_closed()
        assert process.stderr is not None
        log = (await asyncio.wait_for(process.stderr.read(), 20)).decode()
        assert await process.wait() == 0
    assert stage.live.get(call.call_id).has(FactKind.CONVERSATION_CLOSED)
    journal = Journal(aws_clients.dynamodb(), stage.template.physical["LiveTable"])
    assert isinstance(journal.read(call.call_id)[-1].body, Closed)
    lines = [json.loads(text) for text in log.splitlines()]
    assert [line["level"] for line in lines if line["level"] == "ERROR"] == []
    # The journal's writer shares its standard error: that it has ended, the end of this log shows.
    assert lines[-1]["message"] == "conversation closed"


async def test_a_killed_process_loses_nothing_that_had_ended_and_the_next_one_goes_on(
    stage: TestStage,
) -> None:
    call = stage.dialling(FactKind.ANSWERED, sid="CA1")
    model = ScriptedModel()
    async with serve(model.handle, "127.0.0.1", 0) as peer:
        model_port = next(iter(peer.sockets)).getsockname()[1]
        async with (
            media_process(stage.template, model_port) as (process, port),
            upgrade(port) as socket,
        ):
            line = await begin(socket, call)
            session = await model.next()
            await session.hears("¿Diga?")
            await line.until("media")
            # The carrier's answer to this frame's ping comes after the turn was handed to the journal.
            await (await socket.ping())
            process.kill()
            await line.until_closed()
        async with (
            media_process(stage.template, model_port) as (_process, port),
            upgrade(port) as socket,
        ):
            line = await begin(socket, call, leg=2)
            session = await model.next()
            await session.until("conversation.item.create", 2)
            items = session.of("conversation.item.create")
            said = [item["item"]["content"][0]["text"] for item in items]
            assert "¿Diga?" in said
            await line.stop()
            await line.until_closed()
    assert stage.live.get(call.call_id).has(FactKind.CONVERSATION_CLOSED)
