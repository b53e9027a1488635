"""./sofia up: the twin stays up until Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import socket
import tempfile
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from local.callee.actor import PersonaActor
from local.callee.persona import UnknownPersona
from local.cloud.state import HOME
from local.errors import NoTwin, PortTaken
from local.placing import request_body
from local.progress import progress
from local.session import TENANT, Session, open_session, with_own_key
from local.twin import TwinOptions

STATE_FILE = HOME / "up.json"


class Connection(BaseModel):
    """Who is to answer the next call to a number (E.164)."""

    model_config = ConfigDict(extra="forbid", strict=True)

    persona: str
    number: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--port", type=int, default=0, help="the API's port (default: any free one)"
    )


def run(options: argparse.Namespace) -> int:
    try:
        asyncio.run(_up(options.port))
    except (asyncio.CancelledError, KeyboardInterrupt):
        progress("stopped")
    return 0


async def _up(port: int) -> None:
    if port:
        _check_free(port)
    progress("starting the twin ...")
    async with (
        open_session(with_own_key(TwinOptions(port=port))) as session,
        _persona_desk(session) as desk,
    ):
        state = {
            "pid": os.getpid(),
            "api_url": session.api.url,
            "api_key": session.api.key,
            "administrator_key": session.admin.key,
            "personas_url": desk,
            **session.stand_ins,
        }
        _write_down(state)
        persona = session.personas.persona("p00")
        session.twin.clock.set_now(persona.call_at)
        body = json.dumps(request_body(persona), ensure_ascii=False)
        print(f"API            {session.api.url}")
        print(f"API key        {session.api.key}")
        print(f"administrator  {session.admin.key}")
        print(f"PostgreSQL     {session.twin.database_url}")
        print(f"               first: SELECT set_config('app.tenant_id', '{TENANT}', false);")
        print("\nPlace a call (a salon owner answers at every persona's number):\n")
        print(
            f"  curl -X POST {session.api.url}/v1/calls -H 'Authorization: Bearer {session.api.key}' \\\n"
            f"    -H 'Content-Type: application/json' -H \"Idempotency-Key: $(date +%s)\" -d '{body}'\n"
        )
        print("Ctrl-C ends it.", flush=True)
        try:
            await asyncio.Event().wait()
        finally:
            _forget(os.getpid())


@contextlib.asynccontextmanager
async def _persona_desk(session: Session) -> AsyncIterator[str]:
    """A small door of the twin by which `./sofia call` says who answers; gives its address. All personas live at their
    own numbers."""
    for persona in session.personas.personas:
        actor = PersonaActor(persona)
        await actor.prepare(session.voice)
        session.twin.switchboard.settle(persona.lead.phone, actor.again)

    async def connect(request: web.Request) -> web.Response:
        try:
            wanted = Connection.model_validate_json(await request.read())
            persona = session.personas.persona(wanted.persona)
        except (ValidationError, UnknownPersona) as error:
            return web.json_response({"detail": str(error)}, status=400)
        actor = PersonaActor(persona)
        await actor.prepare(session.voice)
        session.twin.switchboard.connect(wanted.number, actor)
        session.twin.clock.set_now(persona.call_at)
        return web.json_response(request_body(persona, wanted.number))

    app = web.Application()
    app.router.add_post("/connect", connect)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def _write_down(state: dict[str, Any]) -> None:
    """Complete or not at all, and never for other users: it holds keys."""
    descriptor, name = tempfile.mkstemp(prefix=f"{STATE_FILE.name}.", dir=STATE_FILE.parent)
    with open(descriptor, "w") as file:
        file.write(json.dumps(state))
    os.replace(name, STATE_FILE)


def running_twin() -> dict[str, Any]:
    """What `up` has written down: `api_url`, `api_key`, `administrator_key`, `personas_url`, `mind`, `ears`. Raises
    NoTwin."""
    try:
        state: dict[str, Any] = json.loads(STATE_FILE.read_text())
    except FileNotFoundError:
        raise NoTwin("no twin is running: start one with ./sofia up") from None
    return state


def _check_free(port: int) -> None:
    with contextlib.closing(socket.socket()) as probe:
        # As servers do: a port whose last connections are only fading away is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            raise PortTaken(
                f"port {port} cannot be used ({error}): choose another with --port, or leave it out"
            ) from error


def _forget(pid: int) -> None:
    """A twin started later may have written its own down."""
    with contextlib.suppress(NoTwin):
        if running_twin()["pid"] == pid:
            STATE_FILE.unlink(missing_ok=True)
