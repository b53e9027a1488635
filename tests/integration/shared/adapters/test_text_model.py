"""The text model through the unmodified SDK: what comes back is typed, and so is everything that goes wrong."""

from __future__ import annotations

import traceback
from collections.abc import Iterator

import pytest

from functions.outcome_analysis.answer import AnalysisAnswer
from functions.outcome_analysis.transcript import INSTRUCTIONS, transcript
from shared.adapters.text_model import (
    RETRIES,
    TextModel,
    TextModelBusy,
    TextModelError,
    TextModelMisused,
    TextModelUnusable,
)
from shared.domain.outcome import Outcome
from tests.integration.text_model_server import Misdeed, TextModelServer, text_model_server
from tests.sample_calls import a_whole_call

TEXT = transcript(a_whole_call())


@pytest.fixture
def server() -> Iterator[TextModelServer]:
    with text_model_server() as running:
        yield running


def ask(server: TextModelServer, within_s: float = 5) -> AnalysisAnswer:
    model = TextModel("key", "gpt-6-luna", server.base_url, within_s)
    answered = model.ask(INSTRUCTIONS, TEXT, AnalysisAnswer)
    assert answered.text_in > answered.text_out > 0
    return answered.parsed


def test_an_answer_in_the_asked_form_and_nothing_stored(server: TextModelServer) -> None:
    assert ask(server).outcome is Outcome.QUALIFIED
    (request,) = server.requests
    assert request["store"] is False
    assert request["model"] == "gpt-6-luna"
    assert request["reasoning"] == {"effort": "low"}
    assert 0 < request["max_output_tokens"] <= 8_000
    assert request["text"]["format"]["strict"] is True
    assert [message["role"] for message in request["input"]] == ["system", "user"]


@pytest.mark.parametrize("misdeed", [Misdeed.BUSY, Misdeed.FAULT, Misdeed.HANG_UP])
def test_what_passes_is_asked_again(server: TextModelServer, misdeed: Misdeed) -> None:
    server.script.append(misdeed)
    assert ask(server).outcome is Outcome.QUALIFIED
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("misdeed", "error", "tries"),
    [
        (Misdeed.BUSY, TextModelBusy, 1 + RETRIES),
        (Misdeed.FAULT, TextModelBusy, 1 + RETRIES),
        (Misdeed.HANG_UP, TextModelBusy, 1 + RETRIES),
        (Misdeed.WRONG_KEY, TextModelMisused, 1),
        (Misdeed.REFUSAL, TextModelUnusable, 1),
        (Misdeed.CUT_SHORT, TextModelUnusable, 1),
        (Misdeed.OTHER_SHAPE, TextModelUnusable, 1),
    ],
)
def test_what_stays_is_a_typed_error_without_anybodys_words(
    server: TextModelServer, misdeed: Misdeed, error: type[TextModelError], tries: int
) -> None:
    server.script.extend([misdeed] * 9)
    with pytest.raises(error) as caught:
        ask(server)
    assert len(server.requests) == tries
    assert "SECRETO" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("misdeed", "says"),
    [(Misdeed.CUT_SHORT, "cut short"), (Misdeed.REFUSAL, "refused")],
)
def test_what_is_of_no_use_says_why(server: TextModelServer, misdeed: Misdeed, says: str) -> None:
    server.script.append(misdeed)
    with pytest.raises(TextModelUnusable, match=says):
        ask(server)


def test_silence_is_bounded(server: TextModelServer) -> None:
    server.script.extend([Misdeed.SILENCE] * 9)
    with pytest.raises(TextModelBusy):
        ask(server, within_s=0.2)
