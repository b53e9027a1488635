"""Objections of one call: put on record whatever becomes of the call, until the store has them."""

from __future__ import annotations

import asyncio
import logging
import math

from media_service.patience import patiently
from media_service.worker_threads import WorkerThreads
from shared.adapters.suppressions import Suppressions
from shared.domain.call import Call
from shared.domain.clock import Clock
from shared.domain.conversation import Suppression
from shared.domain.outcome import OptOutScope

log = logging.getLogger(__name__)
# What ends the attempts is `settled`.
UNTIL_STORED_S = math.inf


class CallOptOuts:
    """The register of `media_service.tools` for one call. Whoever made it awaits `settled` at the end."""

    def __init__(
        self, call: Call, suppressions: Suppressions, clock: Clock, threads: WorkerThreads
    ) -> None:
        self._call = call
        self._suppressions = suppressions
        self._clock = clock
        self._threads = threads
        self._open: set[asyncio.Task[Suppression]] = set()

    async def register(self, scope: OptOutScope, quote: str) -> str:
        """Gives the reference once it is stored. Who stops waiting does not stop the registration."""
        call = self._call
        suppression = Suppression(
            tenant_id=call.tenant_id,
            number_key=self._suppressions.number_key(call.to_number),
            scope=scope,
            reference=self._suppressions.reference(call.tenant_id, call.to_number),
            at=self._clock.now(),
            source="call",
            call_id=call.call_id,
            quote=quote,
        )
        task = asyncio.create_task(self._stored(suppression))
        self._open.add(task)
        task.add_done_callback(self._open.discard)
        return (await asyncio.shield(task)).reference

    async def settled(self, within_s: float) -> None:
        """Wait until all of them are stored; after `within_s` they are given up, and a person has to know."""
        keys = {"call_id": self._call.call_id}
        try:
            if self._open:
                await asyncio.wait(self._open, timeout=within_s)
        finally:
            for task in list(self._open):
                if task.cancel():
                    log.error("an objection could not be put on record", extra=keys)

    async def _stored(self, suppression: Suppression) -> Suppression:
        async def add() -> Suppression:
            return await self._threads.run(self._suppressions.add, suppression)

        return await patiently(add, UNTIL_STORED_S)
