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

from media_service.load import Load
from media_service.phone.handshake import is_signed
from media_service.reception import Reception

log = logging.getLogger(__name__)
STREAM_PATH = "/media"
MAX_MESSAGE_BYTES = 64 * 1_024
# Frames that arrive while a stream is admitted wait here: 20 s of them.
QUEUED_FRAMES = 1_024


class MediaServer:
    """Accepts streams until it is told to drain."""

    def __init__(
        self,
        reception: Reception,
        load: Load,
        public_stream_url: str,
        auth_tokens: tuple[str, ...],
    ) -> None:
        self._reception = reception
        self._load = load
        self._public_stream_url = public_stream_url
        self._auth_tokens = auth_tokens
        self._server: Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; gives the port."""
        self._server = await serve(
            self._reception.serve,
            host,
            port,
            process_request=self._decide,
            compression=None,
            max_size=MAX_MESSAGE_BYTES,
            max_queue=QUEUED_FRAMES,
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
            await self._server.wait_closed()

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
            return _text(HTTPStatus.OK, self._load.as_metrics())
        if path != STREAM_PATH:
            return _text(HTTPStatus.NOT_FOUND, "no such path\n")
        signature = request.headers.get("X-Twilio-Signature")
        if not is_signed(self._public_stream_url, signature, self._auth_tokens):
            self._load.refused += 1
            log.warning("stream refused: the upgrade request is not signed by the carrier")
            return _text(HTTPStatus.FORBIDDEN, "not signed\n")
        if self._load.free_slots == 0:
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
