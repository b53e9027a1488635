"""One stream from the first message to the last: admission, the bridge, and what is left on record."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from media_service.admission import SOURCE, Admission, Admitted
from media_service.bridge import Bridge, BridgeServices, LegEnd
from media_service.journal_pipe import JournalPipe
from media_service.load import Load
from media_service.model.link import ModelLink
from media_service.model.port import SpeechModel
from media_service.opt_outs import CallOptOuts
from media_service.patience import STORE_TROUBLE, patiently
from media_service.phone.line import POLICY_VIOLATION, PhoneLine
from media_service.plan import plan_for
from media_service.timers import TimerWheel
from media_service.tools import ToolContext, ToolRunner
from media_service.worker_threads import WorkerThreads
from shared.adapters.carrier import Carrier, CarrierError
from shared.adapters.leases import LeaseRefused, Leases
from shared.adapters.live_calls import LiveCalls
from shared.adapters.suppressions import Suppressions
from shared.domain.agent import Agent
from shared.domain.call import Call, Fact, FactKind
from shared.domain.clock import Clock
from shared.domain.conversation import CloseCause
from shared.domain.errors import SofiaError

log = logging.getLogger(__name__)
START_WITHIN_S = 5.0
RENEW_EVERY_S = 10.0
# A hang-up asks for the lease first; a store that is slow must not keep the line open.
RENEW_WITHIN_S = 1.0
# The carrier's machine detection takes about 4 s; after this long a verdict changes nothing.
WATCH_VERDICT_S = 12.0
ASK_VERDICT_EVERY_S = 1.0
HANG_UP_TRIES = 4
# The carrier reports an end, or comes back on the next leg, within seconds.
LOOK_FOR_END_TIMES, LOOK_FOR_END_EVERY_S = 10, 1.0
# How long a store may be away after a call before a person has to know what it did not take.
STORED_WITHIN_S = 60.0
# The closing is on record by then as a rule, so that the carrier's next leg is refused; a store that is away must not
# keep somebody on a dead line.
CLOSE_LINE_WITHIN_S = 3.0
_TRY_AGAIN_LATER = 1013
# Conversations that neither side ended.
_DROPPED = (CloseCause.MODEL_LOST, CloseCause.MEDIA_LOST)


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
    model_for: Callable[[Agent], SpeechModel]
    threads: WorkerThreads


class Reception:
    """Serves streams."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._looking: set[asyncio.Task[None]] = set()

    async def settled(self) -> None:
        """Returns once nobody looks for the end of a lost line's call any more; a draining task soon stops."""
        while self._looking:
            await asyncio.wait(self._looking)

    async def serve(self, connection: ServerConnection) -> None:
        """One stream. Never raises for what the other side does wrong, nor for a store that is away: the stream is
        refused, and a line is logged."""
        line = PhoneLine(connection, self._house.load)
        try:
            async with asyncio.timeout(START_WITHIN_S):
                admitted, link = await self._admit(line)
        except (TimeoutError, *STORE_TROUBLE) as trouble:
            await self._refuse(connection, _TRY_AGAIN_LATER, type(trouble).__name__)
        except SofiaError as refusal:
            await self._refuse(connection, POLICY_VIOLATION, str(refusal))
        except ConnectionClosed:
            log.info("a stream was closed before it was admitted")
        else:
            self._house.load.admitted += 1
            await self._talk(line, admitted, link)

    async def _refuse(self, connection: ServerConnection, code: int, cause: str) -> None:
        self._house.load.refused += 1
        log.warning("stream refused", extra={"cause": cause})
        await connection.close(code, "refused")

    async def _admit(self, line: PhoneLine) -> tuple[Admitted, ModelLink]:
        """The model's session is prepared while the call is taken; whoever may not enter leaves none behind."""
        house = self._house
        start = await line.start()
        stream = await house.admission.identify(start, house.clock.now())
        link = ModelLink(house.model_for(stream.agent))
        link.prepare()
        try:
            return await house.admission.enter(stream), link
        except BaseException:
            await link.close()
            raise

    async def _talk(self, line: PhoneLine, admitted: Admitted, link: ModelLink) -> None:
        house, call = self._house, admitted.call
        keys: dict[str, object] = {"call_id": call.call_id, "leg": admitted.lease.fence}
        line.log_keys = keys
        log.info("stream admitted", extra=keys)
        opt_outs = CallOptOuts(call, house.suppressions, house.clock, house.threads)
        tools = ToolRunner(ToolContext(admitted.agent, call.lead, house.clock, opt_outs))

        async def hang_up() -> None:
            await self._hang_up(admitted, bridge)

        services = BridgeServices(house.wheel, house.journal, tools, hang_up)
        bridge = Bridge(line, link, admitted, plan_for(admitted, house.clock.now()), services)
        bridge.beside(self._watch_verdict(admitted, bridge))
        # The call is ours until it is on record, which is later than the leg's end.
        lease = asyncio.create_task(self._keep_lease(admitted, bridge))
        lease.add_done_callback(bridge.task_ended)
        try:
            await bridge.run()
            leaving = asyncio.create_task(self._leave(admitted, bridge, opt_outs, keys))
            await asyncio.wait({leaving}, timeout=CLOSE_LINE_WITHIN_S)
            await line.close()
            await leaving
        finally:
            lease.cancel()
            await link.close()

    async def _leave(
        self, admitted: Admitted, bridge: Bridge, opt_outs: CallOptOuts, keys: dict[str, object]
    ) -> None:
        """Objections and the journal are in the store before the call is told to be closed."""
        house, call = self._house, admitted.call
        await opt_outs.settled(STORED_WITHIN_S)
        await house.journal.written(call.call_id)
        if bridge.cause is not None:
            house.load.failed += bridge.end is LegEnd.FAILED
            await self._close(call, bridge.cause, keys)
            return
        log.warning("stream ended, the call goes on", extra={**keys, "cause": bridge.end})
        if bridge.end in (LegEnd.LOST, LegEnd.BROKEN):
            house.load.lost += 1
            # Beside everything else: the slot is free for the call's own next leg.
            looking = asyncio.create_task(self._look_for_end(admitted, bridge, keys))
            self._looking.add(looking)
            looking.add_done_callback(self._looking.discard)

    async def _look_for_end(
        self, admitted: Admitted, bridge: Bridge, keys: dict[str, object]
    ) -> None:
        call = admitted.call
        if not await self._was_the_end(admitted, bridge):
            return
        let_go_by_us = bridge.end is LegEnd.BROKEN
        cause = CloseCause.MEDIA_LOST if let_go_by_us else CloseCause.CALLEE_HUNG_UP
        bridge.conclude(cause)
        await self._house.journal.written(call.call_id)
        await self._close(call, cause, keys)

    async def _close(self, call: Call, cause: CloseCause, keys: dict[str, object]) -> None:
        """Put the conversation's end on record."""
        house, facts = self._house, self._closing_facts(call, cause)

        async def record() -> Call:
            return await house.threads.run(house.live.record, call.call_id, facts)

        try:
            await patiently(record, STORED_WITHIN_S)
        except (*STORE_TROUBLE, SofiaError) as trouble:
            # The reconciler closes the call once its lease has run out.
            extra = {**keys, "error": type(trouble).__name__}
            log.error("the end of the conversation could not be put on record", extra=extra)
            return
        log.info("conversation closed", extra={**keys, "cause": cause.value})

    async def _was_the_end(self, admitted: Admitted, bridge: Bridge) -> bool:
        """A line may break without a word because the callee hung up: then the carrier reports the call's end, and
        no newer leg takes the call."""
        house, call_id = self._house, admitted.call.call_id
        for _ in range(LOOK_FOR_END_TIMES):
            await asyncio.sleep(LOOK_FOR_END_EVERY_S)
            if house.load.draining or not await self._holds_the_call(admitted, bridge):
                return False
            try:
                if (await house.threads.run(house.live.get, call_id)).is_over:
                    return True
            except (*STORE_TROUBLE, SofiaError) as trouble:
                extra = {"call_id": call_id, "error": type(trouble).__name__}
                log.warning("the call's end could not be looked for", extra=extra)
        return False

    def _closing_facts(self, call: Call, cause: CloseCause) -> list[Fact]:
        now, attempt = self._house.clock.now(), call.attempt
        facts = [Fact(now, FactKind.CONVERSATION_CLOSED, attempt, SOURCE, cause.value)]
        if cause is CloseCause.VOICEMAIL:
            facts.append(Fact(now, FactKind.VOICEMAIL, attempt, SOURCE))
        if cause in _DROPPED:
            facts.append(Fact(now, FactKind.DROPPED, attempt, SOURCE))
        return facts

    async def _hang_up(self, admitted: Admitted, bridge: Bridge) -> None:
        """End the phone call by the carrier's API, tried a few times; if it will not, the closing socket does it. A
        call that a newer leg holds is not ours to end."""
        house = self._house
        for attempt in range(HANG_UP_TRIES):
            if not await self._holds_the_call(admitted, bridge):
                return
            try:
                await house.threads.run(house.carrier.hang_up, admitted.carrier_sid)
                return
            except CarrierError as error:
                extra = {"call_id": admitted.call.call_id, "error": type(error).__name__}
                log.warning("hang-up failed", extra=extra)
            await asyncio.sleep(0.2 * 2**attempt)

    async def _keep_lease(self, admitted: Admitted, bridge: Bridge) -> None:
        while True:
            await asyncio.sleep(RENEW_EVERY_S)
            if not await self._holds_the_call(admitted, bridge):
                return

    async def _holds_the_call(self, admitted: Admitted, bridge: Bridge) -> bool:
        """Renew the lease. A store that does not answer takes nothing away: only a newer leg does."""
        house, extra = self._house, {"call_id": admitted.call.call_id, "leg": admitted.lease.fence}
        try:
            async with asyncio.timeout(RENEW_WITHIN_S):
                await house.threads.run(house.leases.renew, admitted.lease, house.clock.now())
        except LeaseRefused:
            log.warning("a newer leg has taken the call", extra=extra)
            bridge.taken_over()
            return False
        except (TimeoutError, *STORE_TROUBLE) as trouble:
            log.warning("lease not renewed", extra={**extra, "error": type(trouble).__name__})
        return True

    async def _watch_verdict(self, admitted: Admitted, bridge: Bridge) -> None:
        """The carrier's verdict arrives at a function and lies in the store; the first seconds it is looked for."""
        house, call_id = self._house, admitted.call.call_id
        until_ms = bridge.now_ms + WATCH_VERDICT_S * 1_000
        while bridge.now_ms < until_ms:
            await asyncio.sleep(ASK_VERDICT_EVERY_S)
            try:
                call = await house.threads.run(house.live.get, call_id)
            except (*STORE_TROUBLE, SofiaError) as trouble:
                extra = {"call_id": call_id, "error": type(trouble).__name__}
                log.warning("the verdict could not be looked for", extra=extra)
                continue
            verdict = call.fact(FactKind.MACHINE_VERDICT)
            if verdict is not None:
                bridge.verdict(verdict.detail)
                return
