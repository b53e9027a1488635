"""Objections of one call, on record before the call goes on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from shared.adapters.suppressions import Suppressions
from shared.domain.call import Call
from shared.domain.clock import Clock
from shared.domain.conversation import Suppression


class CallOptOuts:
    """The register of `media_service.tools` for one call."""

    def __init__(
        self,
        call: Call,
        suppressions: Suppressions,
        clock: Clock,
        blocking: Callable[..., Awaitable[Suppression]],
    ) -> None:
        self._call = call
        self._suppressions = suppressions
        self._clock = clock
        self._blocking = blocking

    async def register(self, scope: str, quote: str) -> str:
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
        return (await self._blocking(self._suppressions.add, suppression)).reference
