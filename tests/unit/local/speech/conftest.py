import random
from collections.abc import Callable

import pytest

from local.speech.ports import BYTES_PER_MS, Utterance, WordTiming

SpeechMaker = Callable[[str], Utterance]


@pytest.fixture
def say() -> SpeechMaker:
    """Sound for a text without a synthesiser: every word 200 ms of its own bytes, 40 ms after it."""

    def utterance(text: str) -> Utterance:
        sound = b""
        timings = []
        for word in text.split():
            sound += random.Random(word).randbytes(200 * BYTES_PER_MS)
            timings.append(WordTiming(word, len(sound) // BYTES_PER_MS))
            sound += b"\xff" * (40 * BYTES_PER_MS)
        return Utterance(text, sound, tuple(timings))

    return utterance
