"""The media service's door: streams on `/media`, health and metrics beside them.

`/livez` says that the process turns; `/healthz` is the load balancer's and stays 200 while full or draining, because a
task that fails it is killed with its calls; `/readyz` tells free slots; `/metrics` is for Prometheus.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from http import HTTPStatus

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from media_service.journal_pipe import JournalPipe
from media_service.load import Load
from media_service.phone.handshake import is_signed
from media_service.reception import Reception

log = logging.getLogger(__name__)
STREAM_PATH = "/media"
MAX_MESSAGE_BYTES = 64 * 1_024
# Frames that arrive while a stream is admitted wait here: 20 s of them.
QUEUED_FRAMES = 1_024
CLOSE_WITHIN_S = 2.0
# After the drain's time is up, calls still under way have this long to write down where they are.
HANDOVER_WITHIN_S = 5.0


class MediaServer:
    """Accepts streams until it is told to drain."""

    def __init__(
        self,
        reception: Reception,
        load: Load,
        journal: JournalPipe,
        public_stream_url: str,
        auth_tokens: tuple[str, ...],
    ) -> None:
        self._reception = reception
        self._load = load
        self._journal = journal
        self._public_stream_url = public_stream_url
        self._auth_tokens = auth_tokens
        self._server: Server | None = None
        # Slots taken for upgrades whose stream is not served yet.
        self._knocking: set[ServerConnection] = set()

    async def start(self, host: str, port: int) -> int:
        """Listen; gives the port."""
        self._server = await serve(
            self._serve,
            host,
            port,
            process_request=self._decide,
            compression=None,
            max_size=MAX_MESSAGE_BYTES,
            max_queue=QUEUED_FRAMES,
            close_timeout=CLOSE_WITHIN_S,
            # Nothing says that the carrier answers pings; whether a line is alive is told by its frames.
            ping_timeout=None,
            server_header=None,
        )
        listening: int = next(iter(self._server.sockets)).getsockname()[1]
        return listening

    async def drain(self, within_s: float) -> None:
        """Refuse what is new, wait for what is under way, then close."""
        self._load.draining = True
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._load.idle.wait(), within_s)
        if self._load.calls:
            log.warning("calls are handed over", extra={"calls": self._load.calls})
        if self._server is not None:
            self._server.close()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._server.wait_closed(), HANDOVER_WITHIN_S)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._reception.settled(), HANDOVER_WITHIN_S)

    async def _serve(self, connection: ServerConnection) -> None:
        self._knocking.discard(connection)
        try:
            await self._reception.serve(connection)
        finally:
            self._load.give_slot_back()

    def _take_slot(self, connection: ServerConnection) -> bool:
        """A slot for an upgrade that is about to be granted; given back here if the stream never comes."""
        if not self._load.take_slot():
            return False
        self._knocking.add(connection)

        def gone(_lost: object) -> None:
            if connection in self._knocking:
                self._knocking.discard(connection)
                self._load.give_slot_back()

        connection.connection_lost_waiter.add_done_callback(gone)
        return True

    def _decide(self, connection: ServerConnection, request: Request) -> Response | None:
        """Answer health checks, refuse what may not upgrade, let the rest through."""
        path = request.path.partition("?")[0]
        if path in ("/livez", "/healthz"):
            return _text(HTTPStatus.OK, "ok\n")
        if path == "/readyz":
            body = {
                "free_slots": self._load.free_slots,
                "active_calls": self._load.calls,
                "draining": self._load.draining,
                "loop_lag_ms": round(self._load.lag_ms, 3),
            }
            return _text(HTTPStatus.OK, json.dumps(body) + "\n")
        if path == "/metrics":
            return _text(HTTPStatus.OK, self._load.as_metrics() + self._journal.as_metrics())
        if path != STREAM_PATH:
            return _text(HTTPStatus.NOT_FOUND, "no such path\n")
        signature = request.headers.get("X-Twilio-Signature")
        if not is_signed(self._public_stream_url, signature, self._auth_tokens):
            self._load.refused += 1
            log.warning("stream refused: the upgrade request is not signed by the carrier")
            return _text(HTTPStatus.FORBIDDEN, "not signed\n")
        if not self._take_slot(connection):
            self._load.refused += 1
            log.warning("stream refused: no free slot")
            return _text(HTTPStatus.SERVICE_UNAVAILABLE, "full\n")
        return None


def _text(status: HTTPStatus, text: str) -> Response:
    body = text.encode()
    headers = Headers(
        [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Connection", "close"),
        ]
    )
    return Response(status.value, status.phrase, headers, body)
