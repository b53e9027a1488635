"""The whole cloud on one machine: emulators outside, the product's own code and processes inside.

Started in an order in which each part finds what it needs, stopped in reverse. Nothing outlives the process.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import secrets as random_secrets
import sys
import urllib.request
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from local.carrier.carrier import Carrier
from local.carrier.settings import CarrierSettings, Faults
from local.cloud.cloud import Cloud
from local.cloud.ground import Ground
from local.cloud.ports import HeldPort
from local.cloud.postgres import Postgres
from local.cloud.process import Child
from local.cloud.state import PROJECT, last_lines
from local.cloud.template import Template
from local.errors import TwinError
from local.heard_positions import openings_spoken
from local.kept_sounds import KeptSounds
from local.realtime.mind.analyst import RuleAnalyst
from local.realtime.mind.sales import ReadingMind, SalesMind
from local.realtime.server import RealtimeEmulator
from local.realtime.settings import EmulatorSettings
from local.realtime.settings import Faults as RealtimeFaults
from local.speech.ports import Ears, Utterance, Voice
from local.switchboard import Switchboard
from shared.adapters import aws_clients
from shared.adapters.clock import CLOCK_FILE_VARIABLE, SharedClock
from shared.adapters.database import Database, connector
from shared.adapters.directory import Directory, bootstrap_administrator
from shared.adapters.history import History
from shared.adapters.live_calls import LiveCalls
from shared.adapters.suppressions import Suppressions

log = logging.getLogger(__name__)
API_ORIGIN = "https://api.sofia.test"
STREAM_ORIGIN = "wss://media.sofia.test"
OWNED_NUMBER = "+34400000012"
MEDIA_READY_WITHIN_S = 20.0
SWITCH_INTERVAL_S = 0.0005


@dataclass(frozen=True, slots=True)
class TwinOptions:
    """`record_folder` keeps the carrier's recordings; `port` is the API's (0: any); with an
    `openai_api_key` the model is the real one."""

    record_folder: Path | None = None
    port: int = 0
    calls_per_second: float = 10.0
    think_ms: int = 600
    pace: float = 8.0
    duplicate: bool = False
    openai_api_key: str | None = None
    carrier_faults: Faults | None = None
    realtime_faults: RealtimeFaults = field(default_factory=RealtimeFaults)


class MediaFailed(TwinError):
    """The media service did not start; the text says where its log lies."""


class Twin:
    """One running twin. `ground` may have begun to start before, and is the twin's from here on."""

    def __init__(
        self, ears: Ears, voice: Voice, options: TwinOptions, ground: Ground | None = None
    ) -> None:
        self._ground = ground or Ground()
        self._ears = ears
        self._voice = voice
        self._options = options
        self._stack = AsyncExitStack()
        self.switchboard = Switchboard()
        self.folder = self._ground.folder
        self.clock = SharedClock(self.folder / "clock")
        self.api_url = ""
        self.administrator_key = ""
        self.media_ready_url = ""
        self._api_port = 0
        self._media: Child | None = None
        self._media_environment: dict[str, str] = {}

    async def start(self) -> None:
        """Everything up, or an exception and everything down."""
        await self.start_api()
        await self.until_ready()

    async def start_api(self) -> None:
        """Everything started; the API answers, the media service may need another second (`until_ready`)."""
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        await self._stack.aclose()
        await asyncio.to_thread(self._ground.stop)

    @property
    def mind(self) -> str:
        """Who speaks for Sofia, for reports: the emulator's `script`, or the real `model`."""
        return "model" if self._real_model else self.realtime.mind

    @property
    def ears(self) -> str:
        """Who hears the callee, for reports: the emulator's `whisper` or `text`, or the real `model`."""
        return "model" if self._real_model else self.realtime.ears

    @property
    def openings(self) -> tuple[Utterance, ...]:
        """The openings in this twin's bucket, as the script speaks them; none where the model is the real one."""
        if self._real_model:
            return ()
        return (*self.sounds.openings, *openings_spoken(self.realtime.sessions))

    @property
    def _real_model(self) -> bool:
        return self._options.openai_api_key is not None

    async def _start(self) -> None:
        # Frames go out every 20 ms between the functions' threads, each of which may keep the loop from running for
        # one interval (5 ms unless told otherwise).
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        ministack, postgres = self._ground.ministack, self._ground.postgres
        await self._ground.is_up()
        os.environ.update(ministack.environment())
        os.environ[CLOCK_FILE_VARIABLE] = str(self.folder / "clock")
        realtime = await self._start_realtime()
        self._api_port, media_port = self._hold_port(self._options.port), self._hold_port()
        self.media_ready_url = f"http://127.0.0.1:{media_port}/readyz"
        account_sid = "AC" + random_secrets.token_hex(16)
        auth_token = random_secrets.token_hex(16)
        carrier = await self._start_carrier(account_sid, auth_token, media_port)
        template = await self._start_cloud(
            ministack.endpoint_url, postgres, account_sid, auth_token
        )
        self._start_media(template, realtime, carrier, media_port)

    async def _start_realtime(self) -> RealtimeEmulator:
        self.realtime = RealtimeEmulator(
            EmulatorSettings(
                api_key="local-" + random_secrets.token_hex(8),
                think_ms=self._options.think_ms,
                pace=self._options.pace,
                faults=self._options.realtime_faults,
            ),
            self._ears,
            self._voice,
            ReadingMind(SalesMind()),
            RuleAnalyst(),
        )
        await self.realtime.start()
        self._stack.push_async_callback(self.realtime.stop)
        return self.realtime

    async def _start_carrier(self, account_sid: str, auth_token: str, media_port: int) -> Carrier:
        settings = CarrierSettings(
            account_sid=account_sid,
            auth_token=auth_token,
            owned_numbers=frozenset({OWNED_NUMBER}),
            public_urls={
                API_ORIGIN: f"http://127.0.0.1:{self._api_port}",
                STREAM_ORIGIN: f"ws://127.0.0.1:{media_port}",
            },
            calls_per_second=self._options.calls_per_second,
            ringing_after_ms=300,
            record_folder=self._options.record_folder,
            now=self.clock.now,
            faults=self._options.carrier_faults or Faults(),
        )
        self.carrier = Carrier(settings, self.switchboard)
        await self.carrier.start()
        self._stack.push_async_callback(self.carrier.stop)
        return self.carrier

    async def _start_cloud(
        self, endpoint_url: str, postgres: Postgres, account_sid: str, auth_token: str
    ) -> Template:
        parameters = {
            "Stage": "twin",
            "PublicBaseUrl": API_ORIGIN,
            "PublicStreamUrl": f"{STREAM_ORIGIN}/media",
            "MediaReadyUrl": self.media_ready_url,
            "TwilioApiBaseUrl": self.carrier.base_url,
            "OpenAiBaseUrl": "" if self._real_model else self.realtime.base_url,
            "OpenAiRealtimeUrl": "" if self._real_model else self.realtime.websocket_base_url,
            **postgres.parameters(),
        }
        suppression, self.token_secret = random_secrets.token_hex(32), random_secrets.token_hex(32)
        self.cloud = Cloud(
            PROJECT / "template.yaml",
            endpoint_url,
            parameters,
            {CLOCK_FILE_VARIABLE: str(self.folder / "clock")},
            self.clock,
            log_folder=self.folder / "functions",
            secrets={
                "TwilioSecret": {"account_sid": account_sid, "auth_token": auth_token},
                "OpenAiSecret": {"api_key": self._options.openai_api_key or self.realtime.api_key},
                "SigningSecret": {
                    "stream_token": self.token_secret,
                    "suppression": suppression,
                },
            },
            port=self._api_port,
            duplicate=self._options.duplicate,
        )
        await self.cloud.start()
        self._stack.push_async_callback(self.cloud.stop)
        self.api_url = self.cloud.gateway_url
        self.auth_token = auth_token
        self.database_url = postgres.application_url()
        self.history = History(Database(connector(postgres.environment())))
        await asyncio.to_thread(self._open_stores, self.cloud.template, suppression)
        return self.cloud.template

    def _open_stores(self, template: Template, suppression: str) -> None:
        dynamodb = aws_clients.dynamodb()
        self.live = LiveCalls(dynamodb, template.physical["LiveTable"])
        self.suppressions = Suppressions(
            dynamodb, template.physical["LeadsTable"], suppression.encode()
        )
        directory = Directory(dynamodb, template.physical["DirectoryTable"])
        self.administrator_key = bootstrap_administrator(directory, datetime.now(UTC))
        mind = "openai" if self._real_model else "script"
        self.sounds = KeptSounds(aws_clients.s3(), template.physical["SoundsBucket"], mind)
        self.sounds.restore()

    def _start_media(
        self,
        template: Template,
        realtime: RealtimeEmulator,
        carrier: Carrier,
        port: int,
    ) -> None:
        self._media_environment = {
            **os.environ,
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "LIVE_TABLE": template.physical["LiveTable"],
            "LEADS_TABLE": template.physical["LeadsTable"],
            "DIRECTORY_TABLE": template.physical["DirectoryTable"],
            "SOUNDS_BUCKET": template.physical["SoundsBucket"],
            "PUBLIC_STREAM_URL": f"{STREAM_ORIGIN}/media",
            "OPENAI_REALTIME_URL": "" if self._real_model else realtime.websocket_base_url,
            "TWILIO_API_BASE_URL": carrier.base_url,
            "TWILIO_SECRET_ID": template.physical["TwilioSecret"],
            "OPENAI_SECRET_ID": template.physical["OpenAiSecret"],
            "SIGNING_SECRET_ID": template.physical["SigningSecret"],
            "DRAIN_S": "2",
        }
        self._stack.callback(self.stop_media)
        self._spawn_media()

    async def start_media(self) -> None:
        """Start the media service's process and wait until it is ready."""
        self._spawn_media()
        await self.until_ready()

    def _spawn_media(self) -> None:
        port = int(self._media_environment["PORT"])
        log_path = self.folder / f"media-{port}.log"
        command = [sys.executable, "-m", "media_service"]
        self._media = Child(command, log_path, self._media_environment)

    async def until_ready(self) -> None:
        """Wait for the media service; raises MediaFailed."""
        assert self._media is not None, "start_api comes first"
        port = int(self._media_environment["PORT"])
        log_path = self.folder / f"media-{port}.log"
        loop = asyncio.get_running_loop()
        until_s = loop.time() + MEDIA_READY_WITHIN_S
        ready_url = f"http://127.0.0.1:{port}/readyz"
        while not await asyncio.to_thread(_answers, ready_url):
            if not self._media.is_running or loop.time() > until_s:
                raise MediaFailed(f"the media service did not start:\n{last_lines(log_path)}")
            await asyncio.sleep(0.05)

    async def replace_media(self, *, kill: bool) -> None:
        """A second media task takes the new streams, then the first one ends: killed, or told to drain."""
        old, port = self._media, self._hold_port()
        self._media_environment["PORT"] = str(port)
        await self.start_media()
        urls = {**self.carrier.settings.public_urls, STREAM_ORIGIN: f"ws://127.0.0.1:{port}"}
        self.carrier.settings = replace(self.carrier.settings, public_urls=urls)
        if old is None:
            return
        if kill:
            old.kill()
        await asyncio.to_thread(old.stop)

    def _hold_port(self, number: int = 0) -> int:
        """A port that is ours until the twin ends."""
        port = HeldPort(number)
        self._stack.callback(port.close)
        return port.number

    def stop_media(self) -> None:
        if self._media is not None:
            self._media.stop()
            self._media = None


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:
            return "free_slots" in json.load(answer)
    except (OSError, ValueError):
        return False
