"""The emulated service."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from local.realtime.server import RealtimeEmulator
from tests.integration.local.realtime.stage import emulated


@pytest.fixture
async def emulator() -> AsyncIterator[RealtimeEmulator]:
    async with emulated() as service:
        yield service
