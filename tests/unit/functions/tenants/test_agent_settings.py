"""What may be set of an agent, and what is refused by its name."""

from __future__ import annotations

from typing import Any

import pytest

from functions.edge import InvalidBody
from functions.parsing import parsed
from functions.tenants.settings import SettingsBody
from shared.domain.agent import Limits, TurnTaking
from shared.domain.cost import prices_at
from tests.sample_calls import CREATED


def test_what_is_not_sent_is_the_products_own() -> None:
    given = parsed(SettingsBody, {})
    assert TurnTaking(**given.turn_taking.model_dump()) == TurnTaking()
    assert Limits(**given.limits.model_dump()) == Limits()


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"voice": "monica"}, "voice"),
        ({"model": "gpt-realtime"}, "model"),
        ({"model": "gpt-4o-realtime-preview"}, "model"),
        ({"transcription_model": "whisper-1"}, "transcription_model"),
        ({"temperature": 1}, "temperature"),
        ({"turn_taking": {"threshold": 1.01}}, "turn_taking.threshold"),
        ({"turn_taking": {"threshold": float("nan")}}, "turn_taking.threshold"),
        ({"turn_taking": {"silence_ms": 100}}, "turn_taking.silence_ms"),
        ({"turn_taking": {"silence_ms": 1_501}}, "turn_taking.silence_ms"),
        ({"turn_taking": {"prefix_padding_ms": 50}}, "turn_taking.prefix_padding_ms"),
        ({"turn_taking": {"eagerness": "very"}}, "turn_taking.eagerness"),
        ({"turn_taking": {"vad": "none"}}, "turn_taking.vad"),
        ({"turn_taking": {"opening_mode": "nobody"}}, "turn_taking.opening_mode"),
        ({"turn_taking": {"opening_wait_ms": 2_001}}, "turn_taking.opening_wait_ms"),
        ({"turn_taking": {"nudge_after_ms": [8_000, 4_000]}}, "turn_taking"),
        ({"turn_taking": {"nudge_after_ms": [4_000, 12_000]}}, "turn_taking"),
        ({"turn_taking": {"create_response": True}}, "turn_taking.create_response"),
        ({"limits": {"soft_s": 300, "hard_s": 300}}, "limits"),
        ({"limits": {"hard_s": 3_600}}, "limits.hard_s"),
        ({"limits": {"ring_s": 60}}, "limits.ring_s"),
        ({"limits": {"max_output_tokens": 4_097}}, "limits.max_output_tokens"),
    ],
)
def test_what_is_out_of_range_is_refused_by_its_name(settings: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidBody) as refused:
        parsed(SettingsBody, settings)
    assert refused.value.field == field


@pytest.mark.parametrize("name", ["model", "transcription_model"])
def test_a_call_by_any_of_the_models_can_be_priced(name: str) -> None:
    offered = SettingsBody.model_json_schema()["properties"][name]["enum"]
    assert set(offered) <= set(prices_at(CREATED.date()).models)
