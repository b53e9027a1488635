"""How an agent listens, speaks and ends, as an administrator may set it. What is not sent has the product's own value.

Ranges keep a call within what the speech service takes and what a person on the phone bears.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator

from functions.parsing import StrictBody
from shared.domain.agent import Limits, OpeningMode, TurnTaking, VadKind

_TURNS, _LIMITS = TurnTaking(), Limits()

# Those of the service that have no date of end.
Model = Literal["gpt-realtime-2.1", "gpt-realtime-2.1-mini", "gpt-realtime-2", "gpt-realtime-1.5"]
TranscriptionModel = Literal["gpt-realtime-whisper", "gpt-transcribe", "gpt-live-transcribe"]
Voice = Literal[
    "alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar"
]
Eagerness = Literal["low", "medium", "high", "auto"]
Nudge = Annotated[int, Field(ge=2_000, le=30_000)]


class TurnTakingBody(StrictBody):
    """Times in milliseconds."""

    vad: VadKind = _TURNS.vad
    threshold: Annotated[float, Field(ge=0, le=1)] = _TURNS.threshold
    prefix_padding_ms: Annotated[int, Field(ge=100, le=600)] = _TURNS.prefix_padding_ms
    silence_ms: Annotated[int, Field(ge=200, le=1_500)] = _TURNS.silence_ms
    eagerness: Eagerness = "auto"
    opening_mode: OpeningMode = _TURNS.opening_mode
    opening_wait_ms: Annotated[int, Field(ge=600, le=2_000)] = _TURNS.opening_wait_ms
    long_first_utterance_ms: Annotated[int, Field(ge=1_500, le=5_000)] = (
        _TURNS.long_first_utterance_ms
    )
    false_interruption_ms: Annotated[int, Field(ge=300, le=1_500)] = _TURNS.false_interruption_ms
    nudge_after_ms: Annotated[tuple[Nudge, ...], Field(max_length=3)] = _TURNS.nudge_after_ms
    give_up_after_ms: Annotated[int, Field(ge=6_000, le=60_000)] = _TURNS.give_up_after_ms

    @model_validator(mode="after")
    def _one_after_the_other(self) -> TurnTakingBody:
        moments = (*self.nudge_after_ms, self.give_up_after_ms)
        if any(later <= earlier for earlier, later in pairwise(moments)):
            raise ValueError("nudge_after_ms rises, and give_up_after_ms lies after all of it")
        return self


class LimitsBody(StrictBody):
    """Bounds of one call, in seconds where they are times."""

    soft_s: Annotated[int, Field(ge=60, le=480)] = _LIMITS.soft_s
    hard_s: Annotated[int, Field(ge=120, le=600)] = _LIMITS.hard_s
    ring_s: Annotated[int, Field(ge=15, le=45)] = _LIMITS.ring_s
    max_output_tokens: Annotated[int, Field(ge=256, le=4_096)] = _LIMITS.max_output_tokens

    @model_validator(mode="after")
    def _soft_comes_first(self) -> LimitsBody:
        if self.soft_s >= self.hard_s:
            raise ValueError("soft_s is less than hard_s")
        return self


class SettingsBody(StrictBody):
    """Published as part of an agent's version, which never changes."""

    model: Model = "gpt-realtime-2.1"
    voice: Voice = "marin"
    transcription_model: TranscriptionModel = "gpt-realtime-whisper"
    turn_taking: TurnTakingBody = TurnTakingBody()
    limits: LimitsBody = LimitsBody()
