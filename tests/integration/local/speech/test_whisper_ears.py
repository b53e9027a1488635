"""The recogniser on the twin's own voice: what it must understand, and what it must not make up."""

import asyncio
import re

import pytest

from local.callee.folding import fold
from local.speech.activity import frames_of
from local.speech.ears import WhisperEars
from local.speech.errors import QueueFull
from local.speech.noise import NoiseBed, NoiseKind
from local.speech.ports import Speaker
from local.speech.sound import beep, hold_music, mixed, silence, speech_rms, to_mulaw
from local.speech.voice import PicoVoice


def noise(kind: NoiseKind, duration_ms: int) -> bytes:
    bed = NoiseBed(kind, speech_rms=4_000, snr_db=5)
    return b"".join(to_mulaw(bed.next_frame()) for _ in range(duration_ms // 20))


@pytest.mark.parametrize(
    ("line", "pattern"),
    [
        ("Sí, soy yo, la dueña.", "si.*soy yo.*la duena"),
        ("El martes, a las diez de la mañana.", "martes.*(diez|10).*manana"),
        ("Prefiero que me quiten de la lista.", "quiten de la lista"),
        ("¡Que me dejéis en paz de una vez!", "en paz"),
        ("Que me llame una persona mañana, a partir de las cinco.", "persona manana.*(cinco|5)"),
        ("Gracias.", "gracias"),
    ],
)
async def test_what_decides_a_call_is_understood(
    voice: PicoVoice, ears: WhisperEars, line: str, pattern: str
) -> None:
    utterance = await voice.speak(line, Speaker.CALLEE)
    heard = await ears.transcribe(silence(300) + utterance.sound + silence(500))
    assert re.search(pattern, fold(heard)), heard


async def test_words_are_understood_over_a_hair_dryer(voice: PicoVoice, ears: WhisperEars) -> None:
    utterance = await voice.speak("El martes a las diez de la mañana.", Speaker.CALLEE)
    bed = NoiseBed(NoiseKind.HAIR_DRYER, speech_rms=speech_rms(utterance.sound), snr_db=15)
    heard = await ears.transcribe(
        b"".join(mixed(frame, bed.next_frame()) for frame in frames_of(utterance.sound))
    )
    assert re.search("martes.*(diez|10)", fold(heard)), heard


@pytest.mark.parametrize(
    "sound",
    [
        b"",
        silence(3_000),
        noise(NoiseKind.HAIR_DRYER, 4_000),
        noise(NoiseKind.STREET, 4_000),
        beep(600),
        hold_music(4_000),
    ],
    ids=["nothing", "silence", "hair dryer", "street", "beep", "hold music"],
)
async def test_nothing_is_made_up(ears: WhisperEars, sound: bytes) -> None:
    assert await ears.transcribe(sound) == ""


async def test_a_long_speech_is_heard_to_the_end(voice: PicoVoice, ears: WhisperEars) -> None:
    line = " ".join(["Le llamo de parte de Nubelia para hablar de la agenda."] * 9)
    utterance = await voice.speak(f"{line} El jueves viene Laura.", Speaker.CALLEE)
    assert utterance.duration_ms > 30_000
    assert "jueves" in await ears.transcribe(utterance.sound)


async def test_several_listen_at_once_and_one_too_many_is_refused(
    voice: PicoVoice, ears: WhisperEars
) -> None:
    lines = ["El martes por la tarde.", "Somos tres personas.", "No me interesa, gracias."]
    sounds = [(await voice.speak(line, Speaker.CALLEE)).sound for line in lines]
    heard = await asyncio.gather(*(ears.transcribe(sound) for sound in sounds))
    for text, word in zip(heard, ("martes", "tres", "interesa"), strict=True):
        assert word in fold(text)
    ears_with_no_room = WhisperEars(ears.weights_folder, queue_limit=1)
    first = asyncio.ensure_future(ears_with_no_room.transcribe(sounds[0]))
    await asyncio.sleep(0)
    with pytest.raises(QueueFull):
        await ears_with_no_room.transcribe(sounds[1])
    assert "martes" in await first
    await ears_with_no_room.close()


@pytest.mark.parametrize("snr_db", [5, 10, 15])
async def test_activity_hears_a_voice_over_a_hair_dryer_and_not_the_dryer(
    voice: PicoVoice, ears: WhisperEars, snr_db: int
) -> None:
    utterance = await voice.speak("Mejor llámeme luego, sobre las cuatro.", Speaker.CALLEE)
    bed = NoiseBed(NoiseKind.HAIR_DRYER, speech_rms=speech_rms(utterance.sound), snr_db=snr_db)
    activity = ears.activity()
    before = [activity.is_speech(to_mulaw(bed.next_frame())) for _ in range(150)]
    during = [
        activity.is_speech(mixed(frame, bed.next_frame())) for frame in frames_of(utterance.sound)
    ]
    after = [activity.is_speech(to_mulaw(bed.next_frame())) for _ in range(150)]
    assert sum(before) <= 5
    assert sum(during) / len(during) > 0.6
    assert during.index(True) <= 10
    assert sum(after[25:]) <= 5
