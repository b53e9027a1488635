"""The media service's door: who gets a socket, and what it says of itself."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from websockets.exceptions import InvalidStatus

from media_service.load import SAMPLES
from tests.integration.media_service.house import World, open_house, start_message


async def get(world: World, path: str) -> tuple[int, str]:
    def fetch() -> tuple[int, str]:
        try:
            with urlopen(f"http://127.0.0.1:{world.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            return error.code, error.read().decode()

    return await asyncio.to_thread(fetch)


async def status_of_upgrade(world: World, *, signed: bool = True) -> int:
    try:
        async with world.stream(signed=signed):
            return HTTPStatus.SWITCHING_PROTOCOLS
    except InvalidStatus as refused:
        return refused.response.status_code


async def test_health_stays_200_while_the_task_is_full_and_while_it_drains() -> None:
    async with open_house(max_calls=1) as world, world.line() as line:
        await world.model.next()
        assert world.load.free_slots == 0
        for path in ("/livez", "/healthz", "/healthz?deep=1"):
            assert (await get(world, path))[0] == HTTPStatus.OK
        draining = asyncio.create_task(world.server.drain(5))
        await world.until(lambda: world.load.draining)
        for path in ("/livez", "/healthz"):
            assert (await get(world, path))[0] == HTTPStatus.OK
        assert json.loads((await get(world, "/readyz"))[1])["draining"] is True
        await line.stop()
        await draining


async def test_readyz_tells_the_free_slots() -> None:
    async with open_house(max_calls=3) as world, world.line():
        await world.model.next()
        status, body = await get(world, "/readyz")
        ready = json.loads(body)
        assert (status, ready["free_slots"], ready["active_calls"]) == (HTTPStatus.OK, 2, 1)
        world.journal.is_behind = True
        assert json.loads((await get(world, "/readyz"))[1])["free_slots"] == 0


async def test_metrics_count_calls_refusals_and_the_journal() -> None:
    async with open_house() as world, world.line():
        await world.until(lambda: world.load.admitted == 1)
        await status_of_upgrade(world, signed=False)
        _status, text = await get(world, "/metrics")
        values = dict(line.split(" ") for line in text.splitlines())
        assert values["sofia_active_calls"] == "1"
        assert values["sofia_admitted_total"] == "1"
        assert values["sofia_refused_total"] == "1"
        assert values["sofia_journal_unwritten"] == "0"


async def test_an_upgrade_that_the_carrier_did_not_sign_is_refused(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with open_house() as world:
        assert await status_of_upgrade(world, signed=False) == HTTPStatus.FORBIDDEN
        assert (world.load.refused, world.load.calls) == (1, 0)
        assert "not signed by the carrier" in caplog.text


async def test_other_paths_are_not_found() -> None:
    async with open_house() as world:
        assert (await get(world, "/"))[0] == HTTPStatus.NOT_FOUND
        assert (await get(world, "/media/"))[0] == HTTPStatus.NOT_FOUND


async def test_a_full_task_refuses_the_upgrade() -> None:
    async with open_house(max_calls=1) as world:
        async with world.stream():
            assert await status_of_upgrade(world) == HTTPStatus.SERVICE_UNAVAILABLE
            assert world.load.refused == 1
        await world.until_idle()
        assert await status_of_upgrade(world) == HTTPStatus.SWITCHING_PROTOCOLS


async def test_of_simultaneous_upgrades_only_so_many_enter_as_there_are_slots() -> None:
    async with open_house(max_calls=2) as world:
        world.store.slow_s = 0.1
        held = asyncio.Event()

        async def knock() -> int:
            try:
                async with world.stream():
                    await held.wait()
                    return HTTPStatus.SWITCHING_PROTOCOLS
            except InvalidStatus as refused:
                return refused.response.status_code

        knocking = [asyncio.create_task(knock()) for _ in range(8)]
        await world.until(lambda: world.load.refused == 6)
        assert world.load.calls == 2
        held.set()
        statuses = await asyncio.gather(*knocking)
        assert statuses.count(HTTPStatus.SWITCHING_PROTOCOLS) == 2
        assert statuses.count(HTTPStatus.SERVICE_UNAVAILABLE) == 6


async def test_a_lagging_task_refuses_the_upgrade() -> None:
    async with open_house() as world:
        for _ in range(SAMPLES):
            world.load.lagged(5_000)
        assert await status_of_upgrade(world) == HTTPStatus.SERVICE_UNAVAILABLE


async def test_a_task_whose_journal_is_behind_refuses_the_upgrade() -> None:
    async with open_house() as world:
        world.journal.is_behind = True
        assert await status_of_upgrade(world) == HTTPStatus.SERVICE_UNAVAILABLE


async def test_an_upgrade_that_comes_to_nothing_gives_its_slot_back() -> None:
    async with open_house(max_calls=1) as world:
        reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
        signature = await asyncio.to_thread(_signature)
        # Signed, but no upgrade at all: it is refused after the slot was taken.
        writer.write(
            f"GET /media HTTP/1.1\r\nHost: x\r\nX-Twilio-Signature: {signature}\r\n\r\n".encode()
        )
        assert b" 426 " in await reader.readline()
        writer.close()
        await world.until_idle()
        assert world.load.free_slots == 1


def _signature() -> str:
    from twilio.request_validator import RequestValidator

    from tests.integration.media_service.house import AUTH_TOKEN, PUBLIC_URL

    return RequestValidator(AUTH_TOKEN).compute_signature(PUBLIC_URL, {})


async def test_a_drain_waits_for_streams_that_are_still_being_admitted() -> None:
    async with open_house() as world:
        world.call("c1")
        world.store.slow_s = 0.1
        async with world.stream() as socket:
            await socket.send(start_message("c1"))
            draining = asyncio.create_task(world.server.drain(5))
            await world.until(lambda: world.load.admitted == 1)
            assert not draining.done()
            await socket.send(json.dumps({"event": "stop", "streamSid": "MZ1"}))
            await draining
        assert world.fact_kinds() >= {"conversation_closed", "stream_started"}


async def test_a_drain_refuses_new_streams_and_hands_over_what_does_not_end() -> None:
    async with open_house() as world, world.line() as line:
        await world.model.next()
        draining = asyncio.create_task(world.server.drain(0.2))
        await world.until(lambda: world.load.draining)
        assert await status_of_upgrade(world) == HTTPStatus.SERVICE_UNAVAILABLE
        # Our side closes, the call is not over: the carrier goes to the next leg.
        assert await line.until_closed() == 1001
        await draining
        assert "conversation_closed" not in world.fact_kinds()
        assert world.load.calls == 0
