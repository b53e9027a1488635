from pathlib import Path

import pytest

from local.speech.ports import BYTES_PER_MS, FRAME_BYTES, Speaker
from local.speech.sound import rms, to_linear
from local.speech.voice import PicoVoice

LINE = "Hola, soy Sofía. ¿Hablo con Carmen?"


async def test_speech_is_framed_loud_and_unclipped(voice: PicoVoice) -> None:
    utterance = await voice.speak(LINE, Speaker.AGENT)
    assert len(utterance.sound) % FRAME_BYTES == 0
    assert 1_500 < utterance.duration_ms < 4_000
    assert rms(utterance.sound) > 1_500
    assert max(abs(sample) for sample in memoryview(to_linear(utterance.sound)).cast("h")) < 32_000


async def test_every_word_has_its_end_in_order_within_the_sound(voice: PicoVoice) -> None:
    utterance = await voice.speak(LINE, Speaker.CALLEE)
    assert [each.word for each in utterance.words] == LINE.split()
    ends_ms = [each.end_ms for each in utterance.words]
    assert ends_ms == sorted(ends_ms)
    assert 0 < ends_ms[0] < ends_ms[-1] <= utterance.duration_ms


async def test_no_pause_is_as_long_as_the_end_of_a_turn(voice: PicoVoice) -> None:
    utterance = await voice.speak("Hola. Soy Sofía; llamo de Nubelia: ¿sí? Vale.", Speaker.AGENT)
    quiet_ms = longest_ms = 0
    for at in range(0, len(utterance.sound), FRAME_BYTES):
        quiet = rms(utterance.sound[at : at + FRAME_BYTES]) < 120
        quiet_ms = quiet_ms + FRAME_BYTES // BYTES_PER_MS if quiet else 0
        longest_ms = max(longest_ms, quiet_ms)
    assert 200 <= longest_ms <= 420


async def test_the_two_voices_differ(voice: PicoVoice) -> None:
    agent, callee = [await voice.speak(LINE, speaker) for speaker in Speaker]
    assert agent.sound != callee.sound


async def test_the_same_text_gives_the_same_bytes_also_in_the_next_run(
    voice: PicoVoice, speech_folder: Path
) -> None:
    first = await voice.speak(LINE, Speaker.AGENT)
    for text in ("Otra cosa.", "Y otra más."):
        await voice.speak(text, Speaker.AGENT)
    assert await voice.speak(LINE, Speaker.AGENT) == first
    next_run = PicoVoice(speech_folder / "utterances")
    assert await next_run.speak(LINE, Speaker.AGENT) == first
    await next_run.close()


@pytest.mark.parametrize("text", ["", "😀", "...", "¿?"])
async def test_nothing_to_say_is_no_sound(voice: PicoVoice, text: str) -> None:
    utterance = await voice.speak(text, Speaker.AGENT)
    assert (utterance.sound, utterance.words) == (b"", ())
