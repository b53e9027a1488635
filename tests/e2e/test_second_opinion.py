"""Media Streams as somebody else understands them: `streamdouble` calls the media service through a relay that signs."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import wave
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from local.carrier.webhooks import signature
from local.session import TENANT, Session, open_session
from local.speech.ports import Speaker
from local.speech.sound import to_linear
from local.twin import STREAM_ORIGIN, TwinOptions
from shared.domain.call import Call, Fact, FactKind
from shared.domain.gate import Decision, Stage
from shared.domain.lead import Lead
from shared.domain.stream_token import StreamToken

NUMBER = "+34600000001"


@contextlib.asynccontextmanager
async def signing_relay(session: Session) -> AsyncIterator[str]:
    """Passes frames on, and adds the one header that streamdouble does not know."""
    target = session.twin.media_ready_url.replace("http", "ws").replace("/readyz", "/media")
    headers = {
        "X-Twilio-Signature": signature(session.twin.auth_token, f"{STREAM_ORIGIN}/media", {})
    }

    async def relay(caller: ServerConnection) -> None:
        async with connect(
            target, additional_headers=headers, compression=None, proxy=None
        ) as service:

            async def pump(source: Any, sink: Any) -> None:
                with contextlib.suppress(ConnectionClosed):
                    async for message in source:
                        await sink.send(message)
                await sink.close(source.close_code or 1_000)

            await asyncio.gather(pump(caller, service), pump(service, caller))

    async with serve(relay, "127.0.0.1", 0, compression=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"ws://127.0.0.1:{port}/media"


def a_ringing_call(session: Session, call_id: str) -> str:
    """A call that was dialled; gives its first leg's token."""
    now = session.twin.clock.now()
    call = Call(
        call_id, TENANT, "sofia", 1, NUMBER, "+34400000012", Lead(NUMBER, "Carmen"), now, "trace"
    )
    call = call.with_fact(Fact(now, FactKind.DIAL_INTENT, 1, "test"))
    session.twin.live.create(call, Decision(True, None, None, Stage.DIAL, "test", "h", now, ()))
    token = StreamToken(call_id, 1, 1, now + timedelta(minutes=2))
    return token.signed(session.twin.token_secret.encode())


async def clip(session: Session, folder: Path, name: str, text: str) -> Path:
    sound = (await session.voice.speak(text, Speaker.CALLEE)).sound
    path = folder / f"{name}.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes(to_linear(sound))
    return path


async def streamdouble(*arguments: str) -> tuple[int, dict[str, Any], str]:
    program = str(Path(sys.executable).parent / "streamdouble")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        program,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await asyncio.wait_for(process.communicate(), 90)
    return process.returncode or 0, json.loads(output or b"{}"), errors.decode()


@pytest.mark.timeout(300)
async def test_a_call_and_a_barge_in_by_somebody_elses_caller(tmp_path: Path) -> None:
    async with open_session(TwinOptions()) as session, signing_relay(session) as url:
        hello = await clip(session, tmp_path, "hello", "¿Diga?")
        question = await clip(session, tmp_path, "question", "Perdone, ¿esto es una grabación?")
        plain = a_ringing_call(session, "second-opinion-call")
        status, metrics, errors = await streamdouble(
            "call", url, "--audio", str(hello), "--param", f"token={plain}", "--json"
        )
        assert status == 0, errors
        assert metrics
        cut = a_ringing_call(session, "second-opinion-barge-in")
        scenario = {
            "name": "interrupt the opening",
            "steps": [
                {"say": str(hello)},
                {"wait": 4.0},
                {"say": str(question)},
                {"expect": "clear"},
                {"wait": 3.0},
                "hangup",
            ],
        }
        path = tmp_path / "scenario.yaml"
        path.write_text(yaml.safe_dump(scenario, allow_unicode=True))
        status, _, errors = await streamdouble(
            "scenario", str(path), url, "--param", f"token={cut}", "--json"
        )
        assert status == 0, errors
        report = await asyncio.to_thread(
            session.api.call, "GET", "/v1/calls/second-opinion-barge-in"
        )
    assert any(turn["interrupted"] for turn in report["turns"])


@pytest.mark.timeout(200)
async def test_streams_that_may_not_enter(tmp_path: Path) -> None:
    """Unsigned upgrades, forged, late and used tokens, noise instead of JSON: refused, and nobody else is disturbed."""
    async with (
        open_session(TwinOptions(), text_ears=True) as session,
        signing_relay(session) as url,
    ):
        target = session.twin.media_ready_url.replace("http", "ws").replace("/readyz", "/media")
        with pytest.raises(Exception, match="403"):
            async with connect(target, proxy=None):
                pass
        token = a_ringing_call(session, "entry-once")
        assert await enter(url, token) is None
        for wrong in ("", "x.1.1.99.sig", token):
            assert await enter(url, wrong) == 1_008
        late = StreamToken("entry-once", 1, 2, session.twin.clock.now() - timedelta(seconds=1))
        assert await enter(url, late.signed(session.twin.token_secret.encode())) == 1_008
        async with connect(url, proxy=None) as socket:
            await socket.send("no JSON")
            await socket.wait_closed()
            assert socket.close_code == 1_008
        async with connect(url, proxy=None) as socket:
            await socket.send(b"\x00\x01")
            await socket.wait_closed()
            assert socket.close_code == 1_008


async def enter(url: str, token: str) -> int | None:
    """Start a stream; gives the close code, None if it was let in."""
    async with connect(url, proxy=None) as socket:
        start = {
            "accountSid": "AC1",
            "streamSid": "MZ1",
            "callSid": "CA1",
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8_000, "channels": 1},
            "customParameters": {"token": token},
        }
        await socket.send(
            json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"})
        )
        await socket.send(
            json.dumps(
                {"event": "start", "sequenceNumber": "1", "streamSid": "MZ1", "start": start}
            )
        )
        try:
            # Whoever is let in hears the opening 1.2 s after the answer.
            await asyncio.wait_for(socket.recv(), 4)
        except ConnectionClosed:
            return socket.close_code
        return None
