import pytest

from local.speech.hearing_gates import Recognition, believable


def sure(text: str) -> Recognition:
    return Recognition(text, no_speech_probability=0.05, log_probability=-0.3)


@pytest.mark.parametrize("text", ["Sí, soy yo.", "Gracias.", "No me gusta nada.", "39 euros"])
def test_plain_speech_passes(text: str) -> None:
    assert believable(sure(f" {text} ")) == text


@pytest.mark.parametrize(
    "text",
    [
        "¡Suscríbete al canal!",
        "Subtítulos realizados por la comunidad de Amara.org",
        "Gracias por ver el video.",
        "[Música]",
        "...",
        "",
        "no, no, no, no, no, no, no",
        "que sí que sí que sí que sí que sí que sí",
    ],
)
def test_what_the_recogniser_makes_of_noise_does_not(text: str) -> None:
    assert believable(sure(text)) == ""


def test_unsure_words_do_not_pass_but_short_answers_get_more_room() -> None:
    assert believable(Recognition("hola buenos días a todos", 0.1, -1.2)) == ""
    assert believable(Recognition("Gracias.", 0.1, -1.2)) == "Gracias."
    assert believable(Recognition("Gracias.", 0.1, -1.9)) == ""
    assert believable(Recognition("Gracias.", 0.9, -0.2)) == ""


def test_a_word_said_three_times_is_speech() -> None:
    assert believable(sure("No, no, no, ahora no puedo.")) == "No, no, no, ahora no puedo."
