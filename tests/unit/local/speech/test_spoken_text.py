import pytest

from local.speech.spoken_text import sentences_to_speak


def spoken(text: str) -> str:
    return " | ".join(each.spoken for each in sentences_to_speak(text))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("+34 600 000 004", "más tres cuatro, seis cero cero, cero cero cero, cero cero cuatro"),
        ("976000003", "nueve siete seis, cero cero cero, cero cero tres"),
        ("montse@perruqueriarius.cat", "montse arroba perruqueriarius punto cat"),
        ("nubelia.example", "nubelia punto example"),
        ("39 €", "39 euros"),
    ],
)
def test_numbers_and_addresses_are_spelled_as_people_say_them(written: str, said: str) -> None:
    assert spoken(f"Es {written}, apunte.") == f"Es {said}, apunte."


@pytest.mark.parametrize("text", ["14 días", "en 2026", "a las 10:30", "2026-11-26", "3,5 o 1.250"])
def test_other_numbers_stay_as_they_are(text: str) -> None:
    assert spoken(text) == text


@pytest.mark.parametrize("text", ["", "  ", "😀", "...", "¿?", "…"])
def test_text_without_a_word_gives_nothing_to_say(text: str) -> None:
    assert sentences_to_speak(text) == ()


def test_sentences_keep_their_written_words() -> None:
    first, second = sentences_to_speak("Apunte: 600000004. ¿Lo tiene?")
    assert (first.written, second.written) == ("Apunte: 600000004.", "¿Lo tiene?")
    assert "seis cero cero" in first.spoken


def test_dots_in_the_middle_are_a_pause_and_not_read_out() -> None:
    assert spoken("…con el secador no le… ¿puede repetir?") == (
        "con el secador no le, ¿puede repetir?"
    )
