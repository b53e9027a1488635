"""The media service's process.

    python -m media_service

SIGTERM or SIGINT: refuse new streams, let the calls under way end within DRAIN_S, write the journal, leave.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys

import uvloop

from media_service.admission import Admission
from media_service.engine.opening_flow import FIRST_SILENCE_MS
from media_service.journal_pipe import JournalPipe
from media_service.load import Load
from media_service.log_lines import log_json_lines
from media_service.model.openai_realtime import OpenAiRealtime, RealtimeEndpoint
from media_service.reception import House, Reception
from media_service.server import MediaServer
from media_service.settings import Settings
from media_service.timers import TimerWheel
from media_service.worker_threads import WorkerThreads
from shared.adapters import aws_clients
from shared.adapters.carrier import Carrier, account_of, load_client
from shared.adapters.clock import clock_from
from shared.adapters.directory import Directory
from shared.adapters.journal import Journal
from shared.adapters.leases import Leases
from shared.adapters.live_calls import LiveCalls
from shared.adapters.secrets import Secrets, auth_tokens, token_secrets
from shared.adapters.sounds import OpeningClips
from shared.adapters.suppressions import Suppressions
from shared.config import SettingError

THREADS = 24
SWITCH_INTERVAL_S = 0.0005


async def run(settings: Settings) -> None:
    """Serve until told to stop."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    threads, journal = WorkerThreads(THREADS), JournalPipe()
    house, carrier_tokens = await threads.run(compose, settings, loop, threads, journal)
    journal.start()
    watch = asyncio.create_task(house.load.watch())
    server = MediaServer(
        Reception(house), house.load, journal, settings.public_stream_url, carrier_tokens
    )
    port = await server.start(settings.host, settings.port)
    print(json.dumps({"listening": port}), flush=True)
    await stop.wait()
    await server.drain(settings.drain_s)
    watch.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watch
    await journal.stop()
    threads.stop()


def compose(
    settings: Settings,
    loop: asyncio.AbstractEventLoop,
    threads: WorkerThreads,
    journal: JournalPipe,
) -> tuple[House, tuple[str, ...]]:
    """The composition root; also gives the carrier's signing tokens. Blocking: clients and secrets."""
    load_client()
    clock, dynamodb = clock_from(), aws_clients.dynamodb()
    secrets = Secrets(aws_clients.secrets_manager())
    twilio = secrets.json(settings.twilio_secret_id)
    signing = secrets.json(settings.signing_secret_id)
    live = LiveCalls(dynamodb, settings.live_table)
    leases = Leases(dynamodb, settings.live_table)
    admission = Admission(
        live=live,
        directory=Directory(dynamodb, settings.directory_table),
        leases=leases,
        journal=Journal(dynamodb, settings.live_table),
        clips=OpeningClips(aws_clients.s3(), settings.sounds_bucket),
        threads=threads,
        written=journal.written,
        secrets=token_secrets(signing),
        task_id=settings.task_id,
    )
    api_key = secrets.json(settings.openai_secret_id)["api_key"]
    endpoint = RealtimeEndpoint(settings.realtime_url, api_key)
    house = House(
        clock=clock,
        load=Load(settings.max_calls, settings.max_lag_ms, lambda: journal.is_behind),
        wheel=TimerWheel(loop),
        journal=journal,
        admission=admission,
        live=live,
        leases=leases,
        suppressions=Suppressions(dynamodb, settings.leads_table, signing["suppression"].encode()),
        carrier=Carrier(
            lambda fresh: account_of(secrets.json(settings.twilio_secret_id, fresh)),
            settings.twilio_api_url,
        ),
        model_for=lambda agent: OpenAiRealtime(endpoint, agent, FIRST_SILENCE_MS),
        threads=threads,
    )
    return house, auth_tokens(twilio)


def main() -> int:
    log_json_lines()
    try:
        settings = Settings.from_environment()
    except SettingError as error:
        print(error, file=sys.stderr)
        return 2
    # A thread that asks a store may keep the loop, and with it all calls, waiting for one interval; 5 ms by default.
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    uvloop.run(run(settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
