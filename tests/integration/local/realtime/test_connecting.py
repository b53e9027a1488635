"""How a connection begins or is refused, and what is kept of it."""

from __future__ import annotations

import time

import aiohttp
import pytest
from openai import AuthenticationError
from websockets.exceptions import ConnectionClosed

from local.realtime.server import RealtimeEmulator
from local.realtime.settings import Faults
from tests.integration.local.realtime.stage import MODEL, client, emulated, until


@pytest.mark.parametrize(
    ("query", "headers", "code"),
    [
        (f"?model={MODEL}", {"OpenAI-Beta": "realtime=v1"}, "beta_api_shape_disabled"),
        (f"?model={MODEL}&intent=bogus", {}, "invalid_intent"),
        ("", {}, "missing_model"),
        ("?model=gpt-live-1", {}, "model_not_found"),
    ],
)
async def test_a_wrong_connection_is_told_why_and_closed(
    emulator: RealtimeEmulator, query: str, headers: dict[str, str], code: str
) -> None:
    key = {"Authorization": f"Bearer {emulator.api_key}"}
    url = f"{emulator.base_url}/realtime{query}"
    async with (
        aiohttp.ClientSession(headers={**key, **headers}) as http,
        http.ws_connect(url) as socket,
    ):
        assert (await socket.receive_json())["error"]["code"] == code
        end = await socket.receive()
        assert (end.type, end.data) == (aiohttp.WSMsgType.CLOSE, 4_000)
        assert end.extra == f"invalid_request_error.{code}"


async def test_models_need_a_key_and_tell_their_end(emulator: RealtimeEmulator) -> None:
    with pytest.raises(AuthenticationError):
        await client(emulator, key="wrong").models.list()
    with pytest.raises(AuthenticationError):
        await client(emulator, key="wrong").models.retrieve(MODEL)
    models = {model.id: model async for model in client(emulator).models.list()}
    assert models["gpt-realtime"].shutdown_date == "2027-01-20"
    assert (await client(emulator).models.retrieve(MODEL)).shutdown_date is None


async def test_a_session_tells_when_it_will_expire() -> None:
    async with (
        emulated(faults=Faults(expire_after_s=90.0)) as service,
        client(service).realtime.connect(model=MODEL) as connection,
    ):
        created = await until(connection, "session.created")
        assert abs(created.session.expires_at - time.time() - 90) < 5


async def test_only_the_latest_closed_sessions_are_kept() -> None:
    async with (
        emulated(closed_sessions_kept=2) as service,
        client(service).realtime.connect(model=MODEL) as open_all_the_time,
    ):
        await until(open_all_the_time, "session.created")
        first = service.sessions[0]
        for _ in range(4):
            async with client(service).realtime.connect(model=MODEL) as connection:
                await connection.close()
                with pytest.raises(ConnectionClosed):
                    await until(connection, "never")
        async with client(service).realtime.connect(model=MODEL) as connection:
            await until(connection, "session.created")
            assert service.sessions[0] is first
            # Both open ones, two closed ones, and the fourth, whose end the service may not have seen yet.
            assert len(service.sessions) <= 2 + 2 + 1


async def test_an_emulator_says_who_thinks_and_hears(emulator: RealtimeEmulator) -> None:
    assert (emulator.mind, emulator.ears) == ("script", "test")


@pytest.mark.parametrize(("records", "count"), [(True, 1), (False, 0)])
async def test_traffic_is_kept_only_where_it_is_asked_for(records: bool, count: int) -> None:
    async with (
        emulated(record_frames=records) as service,
        client(service).realtime.connect(model=MODEL) as connection,
    ):
        await until(connection, "session.created")
        assert len(service.sessions[0].frames) == count
