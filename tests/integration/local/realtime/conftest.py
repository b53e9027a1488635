"""The emulated service."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from local.realtime.server import RealtimeEmulator
from local.realtime.settings import EmulatorSettings
from tests.integration.local.realtime.stage import FixedEars, Parrot, Tone


@pytest.fixture
async def emulator() -> AsyncIterator[RealtimeEmulator]:
    parrot = Parrot()
    settings = EmulatorSettings(think_ms=20, jitter_ms=5, pace=20, cancel_ms=(1, 5))
    service = RealtimeEmulator(settings, FixedEars(), Tone(), parrot, parrot)
    await service.start()
    yield service
    await service.stop()
