"""The text model: one question, one answer that fits a strict schema. Nothing is stored at OpenAI.

TextModelError
├── TextModelBusy      429, 5xx, no connection, no answer in time: asking again later may help
├── TextModelUnusable  refused, cut short, or not what the schema says: asking again may help
└── TextModelMisused   the key, the model's name or the schema is wrong: somebody has to act

No error carries the model's words or ours: they quote what people said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

import openai
from pydantic import BaseModel, ValidationError

from shared.domain.errors import Unavailable

Form = TypeVar("Form", bound=BaseModel)
# Twice with its pauses stays under a minute, which is what the function that asks is given.
WITHIN_S, RETRIES = 22.0, 1
# Contains what the model thinks: a whole answer is about a thousand, little effort adds as much again.
MAX_OUTPUT_TOKENS = 8_000
# The model's own default thinks longer than reading one call is worth.
EFFORT: Literal["low"] = "low"
_SERVER_FAULT, _TOO_MANY, _TIMED_OUT, _CONFLICT = 500, 429, 408, 409


class TextModelError(Unavailable):
    """Root of what can go wrong."""


class TextModelBusy(TextModelError):
    """Not answered."""


class TextModelUnusable(TextModelError):
    """Answered, but not with what was asked for."""


class TextModelMisused(TextModelError):
    """Refused for what we sent."""


@dataclass(frozen=True, slots=True)
class Answered(Generic[Form]):
    """`text_in` contains `text_in_cached`; reasoning is contained in `text_out`."""

    parsed: Form
    text_in: int
    text_in_cached: int
    text_out: int


class TextModel:
    """Blocking, with a bounded number of tries."""

    def __init__(
        self, api_key: str, model: str, base_url: str | None = None, within_s: float = WITHIN_S
    ) -> None:
        self.model = model
        self._client = openai.OpenAI(
            api_key=api_key, base_url=base_url, timeout=within_s, max_retries=RETRIES
        )

    def ask(self, instructions: str, text: str, form: type[Form]) -> Answered[Form]:
        """The model's answer to `text` as a `form`. Raises TextModelError."""
        try:
            answer = self._client.responses.parse(
                model=self.model,
                input=[
                    {"role": "system", "content": instructions},
                    {"role": "user", "content": text},
                ],
                text_format=form,
                reasoning={"effort": EFFORT},
                max_output_tokens=MAX_OUTPUT_TOKENS,
                store=False,
            )
        except openai.APIStatusError as error:
            raise _by_status(error.status_code) from None
        except openai.APIConnectionError:
            raise TextModelBusy("the text model did not answer in time") from None
        except (ValidationError, openai.OpenAIError):
            # The SDK reads the form before anybody can see that the answer was cut short.
            raise TextModelUnusable("the answer was cut short or does not fit the schema") from None
        if answer.status != "completed":
            cut = answer.incomplete_details.reason if answer.incomplete_details else None
            raise TextModelUnusable(f"the text model did not finish: {cut or answer.status}")
        if answer.output_parsed is None:
            # Completed, with a refusal where the form would be.
            raise TextModelUnusable("the text model refused to answer")
        if answer.usage is None:
            raise TextModelUnusable("the text model did not say what it consumed")
        return Answered(
            parsed=answer.output_parsed,
            text_in=answer.usage.input_tokens,
            text_in_cached=answer.usage.input_tokens_details.cached_tokens,
            text_out=answer.usage.output_tokens,
        )


def _by_status(status: int) -> TextModelError:
    if status >= _SERVER_FAULT or status in (_TOO_MANY, _TIMED_OUT, _CONFLICT):
        return TextModelBusy(f"the text model answered {status}")
    return TextModelMisused(f"the text model answered {status}: check key, model and schema")
