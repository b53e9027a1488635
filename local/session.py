"""A twin with ears and voice, up for as long as a command needs it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass

from local.api_client import Api
from local.callee.persona import PersonaFile, load_personas
from local.cloud.state import kept_folder
from local.speech.ears import TextEars, WhisperEars
from local.speech.voice import PicoVoice
from local.speech.word_board import WordBoard
from local.tenant_setup import set_up
from local.twin import Twin, TwinOptions

TENANT = "nubelia"


@dataclass(frozen=True, slots=True)
class Session:
    """`board` is set where the ears are text ears."""

    twin: Twin
    voice: PicoVoice
    personas: PersonaFile
    admin: Api
    api: Api
    board: WordBoard | None


@contextlib.asynccontextmanager
async def open_session(
    options: TwinOptions, *, text_ears: bool = False, personas: PersonaFile | None = None
) -> AsyncIterator[Session]:
    """Everything started side by side; everything stopped at the end, also on Ctrl-C and SIGTERM."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    voice = PicoVoice(kept_folder("voice"))
    board = WordBoard() if text_ears else None
    ears = TextEars(board) if board is not None else WhisperEars(kept_folder("weights"))
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(voice.close)
        stack.push_async_callback(ears.close)
        twin = Twin(ears, voice, options)
        stack.push_async_callback(twin.stop)
        loading = asyncio.create_task(ears.start())
        await twin.start_api()
        file = personas or load_personas()
        admin = Api(twin.api_url, twin.administrator_key)
        api = await asyncio.to_thread(set_up, admin, TENANT, file.tenant)
        await asyncio.gather(twin.until_ready(), loading)
        yield Session(twin, voice, file, admin, api, board)
