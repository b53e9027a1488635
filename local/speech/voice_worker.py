"""The process that speaks: `python -m local.speech.voice_worker`. It holds the synthesiser, which
holds the GIL."""

from __future__ import annotations

import audioop

import numpy as np
from py_nanotts import NanoTTS  # type: ignore[import-untyped]

from local.speech.phrasing import RATE_HZ, tighten, time_words
from local.speech.pipe_frames import PipeFrame
from local.speech.ports import BYTES_PER_MS, FRAME_BYTES, WordTiming
from local.speech.resampling import halve_rate
from local.speech.spoken_text import Sentence, sentences_to_speak
from local.speech.worker_loop import serve

LANGUAGE = "es-ES"
SENTENCE_PAUSE_MS = 220
_MULAW_SILENCE = b"\xff"
_INT16 = np.iinfo(np.int16)


class PicoSynthesiser:
    """SVOX Pico's Spanish voice as 8 kHz mu-law, sentence by sentence."""

    def __init__(self) -> None:
        self._engine = NanoTTS()

    def handle(self, request: PipeFrame) -> PipeFrame:
        """`{text, speed, pitch, volume}` becomes `{words: [[word, end_ms]...]}` and the sound."""
        settings = request.header
        sound = bytearray()
        words: list[WordTiming] = []
        for sentence in sentences_to_speak(settings["text"]):
            if sound:
                sound += _MULAW_SILENCE * (SENTENCE_PAUSE_MS * BYTES_PER_MS)
            spoken, timings = self._sentence(
                sentence,
                settings["speed"],
                settings["pitch"],
                settings["volume"],
                starts_ms=len(sound) // BYTES_PER_MS,
            )
            sound += spoken
            words += timings
        sound += _MULAW_SILENCE * (-len(sound) % FRAME_BYTES)
        return PipeFrame({"words": [[each.word, each.end_ms] for each in words]}, bytes(sound))

    def _sentence(
        self,
        sentence: Sentence,
        speed: float,
        pitch: float,
        volume: float,
        *,
        starts_ms: int,
    ) -> tuple[bytes, tuple[WordTiming, ...]]:
        pcm = tighten(
            np.frombuffer(
                self._engine.speak(
                    sentence.spoken,
                    voice=LANGUAGE,
                    speed=speed,
                    pitch=pitch,
                    volume=volume,
                ),
                dtype="<i2",
            )
        )
        assert RATE_HZ == 2 * BYTES_PER_MS * 1_000
        halved = np.clip(np.rint(halve_rate(pcm.astype(np.float64))), _INT16.min, _INT16.max)
        sound = audioop.lin2ulaw(halved.astype("<i2").tobytes(), 2)
        return sound, time_words(pcm, sentence.written.split(), starts_ms)


if __name__ == "__main__":
    serve(PicoSynthesiser().handle)
