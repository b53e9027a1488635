from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from local.speech.ears import WhisperEars
from local.speech.voice import PicoVoice


@pytest.fixture(scope="session")
def speech_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where this run keeps weights and utterances."""
    return tmp_path_factory.mktemp("speech")


@pytest.fixture
async def voice(speech_folder: Path) -> AsyncIterator[PicoVoice]:
    voice = PicoVoice(speech_folder / "utterances")
    yield voice
    await voice.close()


@pytest.fixture
async def ears(speech_folder: Path) -> AsyncIterator[WhisperEars]:
    ears = WhisperEars(speech_folder / "weights")
    await ears.start()
    yield ears
    await ears.close()
