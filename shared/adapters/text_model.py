"""The text model: one question, one answer that fits a strict schema. Nothing is stored at OpenAI.

TextModelError
├── TextModelBusy      429, 5xx, no connection, no answer in time: asking again later may help
├── TextModelUnusable  refused, cut short, or not what the schema says: asking again may help
└── TextModelMisused   the key, the model's name or the schema is wrong: somebody has to act

No error carries the model's words or ours: they quote what people said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

import openai
from pydantic import BaseModel, ValidationError

from shared.domain.errors import Unavailable

Form = TypeVar("Form", bound=BaseModel)
# Twice with its pauses stays under a minute, which is what the function that asks is given.
WITHIN_S, RETRIES = 22.0, 1
MAX_OUTPUT_TOKENS = 8_000
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
                max_output_tokens=MAX_OUTPUT_TOKENS,
                store=False,
            )
        except openai.APIStatusError as error:
            raise _by_status(error.status_code) from None
        except openai.APIConnectionError:
            raise TextModelBusy("the text model did not answer in time") from None
        except (ValidationError, openai.OpenAIError):
            raise TextModelUnusable("the text model's answer does not fit the schema") from None
        if answer.status != "completed" or answer.output_parsed is None or answer.usage is None:
            # A refusal is a completed answer without the form.
            raise TextModelUnusable(f"the text model's answer is of no use ({answer.status})")
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
