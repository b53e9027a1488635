"""A twin with ears and voice, up for as long as a command needs it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, fields, replace
from pathlib import Path

from local.api_client import Api
from local.callee.persona import PersonaFile, load_personas
from local.cloud.ground import Ground
from local.cloud.state import kept_folder
from local.errors import TwinError
from local.progress import progress
from local.speech.ears import TextEars, WhisperEars
from local.speech.errors import SpeechError, WeightsUnusable
from local.speech.ports import Ears
from local.speech.voice import PicoVoice
from local.speech.whisper_weights import joined_weights
from local.speech.word_board import WordBoard
from local.tenant_setup import set_up
from local.twin import Twin, TwinOptions
from shared.domain.agent import Agent

TENANT = "nubelia"
SCRIPT = "script"


class TextEarsNotUsed(TwinError):
    """Text ears stand in for those of the emulated model; the real one has its own."""


@dataclass(frozen=True, slots=True)
class Session:
    """`board` is set where the ears are text ears. `mind` is what answers: `script`, or `openai:<model>`."""

    twin: Twin
    voice: PicoVoice
    ears: Ears
    personas: PersonaFile
    admin: Api
    api: Api
    board: WordBoard | None
    mind: str

    @property
    def is_scripted(self) -> bool:
        return self.mind == SCRIPT

    @property
    def stand_ins(self) -> dict[str, str]:
        """What every report says of the simulation: which mind answered, which ears heard it. The real model hears by
        itself."""
        simulated = "whisper" if self.board is None else "text"
        return {"mind": self.mind, "ears": simulated if self.is_scripted else self.mind}


def with_own_key(options: TwinOptions) -> TwinOptions:
    """With OPENAI_API_KEY set the model is the real one; says which it is."""
    key = os.environ.get("OPENAI_API_KEY") or None
    if key is None:
        progress("the model, the carrier and the callee are simulated; the mind is a script")
    else:
        progress(
            "OPENAI_API_KEY is set: the model is the real one, and costs money;"
            " the carrier and the callee are simulated"
        )
    return replace(options, openai_api_key=key)


@contextlib.asynccontextmanager
async def open_session(
    options: TwinOptions,
    *,
    text_ears: bool = False,
    personas: PersonaFile | None = None,
    ground: Ground | None = None,
) -> AsyncIterator[Session]:
    """Everything started side by side; everything stopped at the end, also on Ctrl-C and SIGTERM. `ground` has begun
    before where somebody could not wait for the imports.

    Raises TwinError; WeightsUnusable where the ears have nothing to recognise with.
    """
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    voice = PicoVoice(kept_folder("voice"))
    board = WordBoard() if text_ears else None
    weights = kept_folder("weights")
    ears = TextEars(board) if board is not None else WhisperEars(weights)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(voice.close)
        stack.push_async_callback(ears.close)
        twin = Twin(ears, voice, options, ground)
        stack.push_async_callback(twin.stop)
        loading = asyncio.create_task(_load(ears, weights))
        await twin.start_api()
        file = personas or load_personas()
        admin = Api(twin.api_url, twin.administrator_key)
        api = await asyncio.to_thread(set_up, admin, TENANT, file.tenant)
        await asyncio.to_thread(twin.sounds.keep, twin.openings)
        if board is not None:
            for opening in twin.openings:
                board.post(opening)
        await asyncio.gather(twin.until_ready(), loading)
        mind = f"openai:{_model()}" if options.openai_api_key else SCRIPT
        yield Session(twin, voice, ears, file, admin, api, board, mind)


def _model() -> str:
    """The model of an agent that nobody configured otherwise, as the twin's tenants' are."""
    return str(next(field.default for field in fields(Agent) if field.name == "model"))


async def _load(ears: TextEars | WhisperEars, weights: Path) -> None:
    try:
        await ears.start()
    except SpeechError:
        # The worker died while it loaded; this says why.
        await asyncio.to_thread(_check_weights, weights)
        raise


def _check_weights(folder: Path) -> None:
    try:
        joined_weights(folder)
    except WeightsUnusable as error:
        raise WeightsUnusable(
            f"{error}; ./sofia does so anew when the folder {Path(sys.prefix).name} is removed"
        ) from error
