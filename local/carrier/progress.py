"""Status callbacks of one call: numbered as they arise, each delivered on its own. The call waits for none."""

from __future__ import annotations

import asyncio
import math
import uuid
from collections.abc import Iterable
from email.utils import format_datetime
from typing import TYPE_CHECKING

from local.carrier.address import Address
from local.carrier.record import TERMINAL

if TYPE_CHECKING:
    from local.carrier.call import EmulatedCall

_SIP = {
    "completed": "200",
    "busy": "486",
    "no-answer": "487",
    "failed": "404",
    "canceled": "487",
}
_EVENT_OF = {"initiated": "initiated", "ringing": "ringing", "in-progress": "answered"}
_REORDERED_S = 0.5


class Progress:
    """`callback` may be replaced while the call lives; None: nobody is told."""

    def __init__(self, call: EmulatedCall, callback: Address | None) -> None:
        self.callback = callback
        self._call = call
        self._sequence = 0
        self._told: set[str] = set()
        self._held_back: list[dict[str, str]] = []

    def report(self, status: str) -> asyncio.Task[None] | None:
        """Tell of a status, once; gives the delivery under way, if there is one."""
        event = _EVENT_OF.get(status, "completed")
        if status in self._told:
            return None
        self._told.add(status)
        callback = self.callback
        if callback is None or event not in self._call.request.events:
            return None
        form = self._form(status)
        faults = self._call.faults.callbacks
        if event in faults.drop:
            return None
        if status in TERMINAL:
            return self._call.spawn(self._deliver(callback, [form, *self._held_back]))
        if event in faults.after_end:
            self._held_back.append(form)
            return None
        after_s = _REORDERED_S if faults.reorder else 0.0
        return self._call.spawn(self._deliver(callback, [form], after_s))

    async def _deliver(
        self, callback: Address, forms: Iterable[dict[str, str]], after_s: float = 0.0
    ) -> None:
        await asyncio.sleep(after_s)
        for form in forms:
            await self._call.deliver(callback, form)
            if self._call.faults.callbacks.duplicate:
                await self._call.deliver(callback, form, repeats=str(uuid.uuid4()))

    def _form(self, status: str) -> dict[str, str]:
        call = self._call
        form = {
            **call.form(status),
            "SequenceNumber": str(self._sequence),
            "CallbackSource": "call-progress-events",
            "Timestamp": format_datetime(call.now()),
        }
        self._sequence += 1
        if status in TERMINAL:
            form["SipResponseCode"] = _SIP[status]
            form["CallDuration"] = str(call.duration_s)
            form["Duration"] = str(math.ceil(call.duration_s / 60))
            form |= call.taping.of_creation()
            if call.answered_by is not None:
                form["AnsweredBy"] = call.answered_by
        return form
