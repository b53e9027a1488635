"""Asking again while the store does not answer: bounded in time, with pauses that calls do not share."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from shared.domain.errors import Unavailable

T = TypeVar("T")
# What a store that is away, overloaded or slow raises.
STORE_TROUBLE = (BotoCoreError, ClientError, Unavailable)
FIRST_PAUSE_S = 0.1
MAX_PAUSE_S = 5.0


async def patiently(ask: Callable[[], Awaitable[T]], within_s: float) -> T:
    """The answer of `ask`. Raises the last of `STORE_TROUBLE` once `within_s` have passed; anything else at once."""
    loop = asyncio.get_running_loop()
    until_s, pause_s = loop.time() + within_s, FIRST_PAUSE_S
    while True:
        try:
            return await ask()
        except STORE_TROUBLE:
            wait_s = pause_s * random.uniform(0.5, 1.0)
            if loop.time() + wait_s > until_s:
                raise
        await asyncio.sleep(wait_s)
        pause_s = min(MAX_PAUSE_S, 2 * pause_s)
