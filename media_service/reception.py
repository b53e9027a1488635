"""One stream from the first message to the last: admission, the bridge, and what is left on record."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from media_service.admission import SOURCE, Admission, Admitted
from media_service.bridge import Bridge, BridgeServices
from media_service.engine.opening_flow import FIRST_SILENCE_MS
from media_service.journal_pipe import JournalPipe
from media_service.load import Load
from media_service.model.openai_realtime import OpenAiRealtime, RealtimeEndpoint
from media_service.opt_outs import CallOptOuts
from media_service.phone import wire
from media_service.phone.wire import PhoneProtocolError
from media_service.plan import plan_for
from media_service.timers import TimerWheel
from media_service.tools import ToolContext, ToolDesk
from shared.adapters.carrier import Carrier
from shared.adapters.leases import LeaseRefused, Leases
from shared.adapters.live_calls import LiveCalls
from shared.adapters.suppressions import Suppressions
from shared.domain.call import Fact, FactKind
from shared.domain.clock import Clock
from shared.domain.conversation import CloseCause
from shared.domain.errors import SofiaError

T = TypeVar("T")
log = logging.getLogger(__name__)
START_WITHIN_S = 5.0
RENEW_EVERY_S = 10.0
# The carrier's machine detection takes about 4 s; after this long a verdict changes nothing.
WATCH_VERDICT_S = 12.0
HANG_UP_TRIES = 4
_POLICY_VIOLATION = 1008


@dataclass(frozen=True, slots=True)
class House:
    """What the reception of one media process is made of."""

    clock: Clock
    load: Load
    wheel: TimerWheel
    journal: JournalPipe
    admission: Admission
    live: LiveCalls
    leases: Leases
    suppressions: Suppressions
    carrier: Carrier
    endpoint: RealtimeEndpoint
    token_secrets: tuple[bytes, ...]
    threads: ThreadPoolExecutor


class Reception:
    """Serves streams."""

    def __init__(self, house: House) -> None:
        self._house = house
        self.bridges: set[Bridge] = set()

    async def serve(self, connection: ServerConnection) -> None:
        """One stream. Never raises for what the other side does wrong: it is refused, and a line is logged."""
        house = self._house
        try:
            async with asyncio.timeout(START_WITHIN_S):
                start = await self._start_message(connection)
                admitted = await self._blocking(house.admission.admit, start, house.token_secrets)
        except (SofiaError, TimeoutError) as refusal:
            house.load.refused += 1
            log.warning("stream refused: %s", refusal or "no start message in time")
            await connection.close(_POLICY_VIOLATION, "refused")
            return
        except ConnectionClosed:
            return
        house.load.admitted += 1
        await self._talk(connection, admitted)

    async def _start_message(self, connection: ServerConnection) -> wire.Start:
        while True:
            frame = await connection.recv()
            if not isinstance(frame, str):
                raise PhoneProtocolError("a binary frame came before the start")
            message = wire.decode(frame.encode())
            if message.event == "start":
                if message.start is None:
                    raise PhoneProtocolError("the start message is empty")
                return message.start
            if message.event != "connected":
                raise PhoneProtocolError("the first message is neither connected nor start")

    async def _talk(self, connection: ServerConnection, admitted: Admitted) -> None:
        house = self._house
        keys = {"call_id": admitted.call.call_id, "leg": admitted.lease.fence}
        log.info("stream admitted", extra=keys)
        bridge = Bridge(
            connection,
            admitted,
            plan_for(admitted, house.clock.now()),
            self._services(admitted),
        )
        self.bridges.add(bridge)
        house.load.began()
        aside = [
            asyncio.create_task(self._keep_lease(admitted)),
            asyncio.create_task(self._watch_verdict(admitted, bridge)),
        ]
        try:
            await bridge.run()
        finally:
            for task in aside:
                task.cancel()
            self.bridges.discard(bridge)
            house.load.ended()
        await self._leave(admitted, bridge, keys)

    async def _leave(self, admitted: Admitted, bridge: Bridge, keys: dict[str, object]) -> None:
        """The journal is in the store before the call is told to be closed."""
        house = self._house
        call = admitted.call
        if bridge.last_seq >= admitted.next_seq:
            await house.journal.written(call.call_id, bridge.last_seq)
        house.journal.forget(call.call_id)
        if bridge.finished is None:
            # The line's socket is gone and the call is not over: the carrier comes back on the next leg.
            house.load.lost += 1
            log.warning("stream lost", extra=keys)
            return
        now, attempt = house.clock.now(), call.attempt
        facts = [
            Fact(
                now,
                FactKind.CONVERSATION_CLOSED,
                attempt,
                SOURCE,
                bridge.finished.value,
            )
        ]
        if bridge.finished is CloseCause.VOICEMAIL:
            facts.append(Fact(now, FactKind.VOICEMAIL, attempt, SOURCE))
        if bridge.finished is CloseCause.MODEL_LOST:
            facts.append(Fact(now, FactKind.DROPPED, attempt, SOURCE))
        await self._blocking(house.live.record, call.call_id, facts)
        log.info("conversation closed", extra={**keys, "cause": bridge.finished.value})

    def _services(self, admitted: Admitted) -> BridgeServices:
        house = self._house
        opt_outs = CallOptOuts(admitted.call, house.suppressions, house.clock, self._blocking)
        context = ToolContext(admitted.agent, admitted.call.lead, house.clock, opt_outs)

        async def hang_up() -> None:
            await self._hang_up(admitted)

        return BridgeServices(
            wheel=house.wheel,
            journal=house.journal,
            model=OpenAiRealtime(house.endpoint, admitted.agent, FIRST_SILENCE_MS),
            tools=ToolDesk(context),
            hang_up=hang_up,
        )

    async def _hang_up(self, admitted: Admitted) -> None:
        """End the phone call by the carrier's API, tried a few times; if it will not, the closing socket does it."""
        for attempt in range(HANG_UP_TRIES):
            try:
                await self._blocking(self._house.carrier.hang_up, admitted.carrier_sid)
                return
            except SofiaError as error:
                log.warning("hang-up failed", extra={"error": type(error).__name__})
                await asyncio.sleep(0.2 * 2**attempt)

    async def _keep_lease(self, admitted: Admitted) -> None:
        house = self._house
        while True:
            await asyncio.sleep(RENEW_EVERY_S)
            try:
                await self._blocking(house.leases.renew, admitted.lease, house.clock.now())
            except LeaseRefused:
                log.warning("lease lost", extra={"call_id": admitted.call.call_id})
                return

    async def _watch_verdict(self, admitted: Admitted, bridge: Bridge) -> None:
        """The carrier's verdict arrives at a function and lies in the store; the first seconds it is looked for."""
        house = self._house
        until_ms = bridge.now_ms + WATCH_VERDICT_S * 1_000
        while bridge.now_ms < until_ms:
            await asyncio.sleep(1.0)
            call = await self._blocking(house.live.get, admitted.call.call_id)
            verdict = call.fact(FactKind.MACHINE_VERDICT)
            if verdict is not None:
                bridge.verdict(verdict.detail)
                return

    async def _blocking(self, work: Callable[..., T], *args: object) -> T:
        """Run a blocking adapter in a worker thread."""
        return await asyncio.get_running_loop().run_in_executor(self._house.threads, work, *args)
