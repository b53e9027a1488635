"""The twin's ears: Whisper in a process of its own, or the word board. Every report says which."""

from __future__ import annotations

import asyncio
from pathlib import Path

from local.speech.activity import DetectorPool, EnergyActivity
from local.speech.ports import VoiceActivity
from local.speech.word_board import BoardActivity, WordBoard
from local.speech.worker import SpeechWorker

_ONE_THREAD = {"OMP_NUM_THREADS": "1"}


class WhisperEars:
    """Recognises Spanish in 8 kHz sound: about 0.25 s of one core for an utterance of 3 s
    (measured).

    One worker process serves all calls, one utterance after the other. `weights_folder` holds the
    joined weights (145 MB) between runs.
    """

    def __init__(self, weights_folder: Path, *, queue_limit: int = 64) -> None:
        self.weights_folder = weights_folder
        self._worker = SpeechWorker(
            "local.speech.whisper_worker",
            [str(weights_folder)],
            queue_limit=queue_limit,
            timeout_s=120.0,
            environment=_ONE_THREAD,
        )
        self._detectors: DetectorPool | None = DetectorPool()

    @property
    def kind(self) -> str:
        return "voice"

    async def start(self) -> None:
        """Load the weights and make detectors now, so that the first call need not wait.

        Raises `WorkerRefused` or `WorkerLost` when the weights are unusable; the worker's own
        message on stderr then says what to install.
        """
        await asyncio.gather(self._worker.ask({}), asyncio.to_thread(self._make_detectors))

    def _make_detectors(self) -> None:
        assert self._detectors is not None
        try:
            self._detectors.fill()
        except ImportError:
            self._detectors = None

    def activity(self) -> VoiceActivity:
        """A detector for one direction of one call; lent from a pool, back by itself."""
        if self._detectors is None:
            return EnergyActivity()
        try:
            return self._detectors.lend()
        except ImportError:
            self._detectors = None
            return EnergyActivity()

    async def transcribe(self, sound: bytes) -> str:
        """The words in `sound`; empty for silence, noise, and what the recogniser is unsure of.

        Raises `SpeechError`: `QueueFull` when more than `queue_limit` utterances wait.
        """
        reply = await self._worker.ask({}, sound)
        return str(reply.header["text"])

    async def close(self) -> None:
        """End the worker process."""
        await self._worker.close()


class TextEars:
    """Hears by looking sound up on the word board: exact, and free of a recogniser's cost."""

    def __init__(self, board: WordBoard) -> None:
        self._board = board

    @property
    def kind(self) -> str:
        return "text"

    async def start(self) -> None:
        """Nothing to load."""

    def activity(self) -> VoiceActivity:
        return BoardActivity(self._board)

    async def transcribe(self, sound: bytes) -> str:
        """The words whose end lies within the known pieces of `sound`, in the order heard."""
        return self._board.words_in(sound)

    async def close(self) -> None:
        """Nothing to end."""
