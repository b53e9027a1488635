"""What a session is told of turn taking and sound."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from media_service.model.session_settings import first_update, listening_update
from shared.agents.opening import opening_for
from shared.agents.tools import offered
from shared.domain.agent import Agent, TenantFacts, TurnTaking, VadKind

FACTS = TenantFacts("Nubelia", "agenda", "Laura", "9 a 19", "nueve", "n.example", "p@n.example", ())
AGENT = Agent("t1", "sofia", 1, "Sofía", FACTS, opening_for(FACTS, "Sofía"))
SEMANTIC = replace(AGENT, turn_taking=TurnTaking(vad=VadKind.SEMANTIC))
PCMU = {"type": "audio/pcmu"}


def first(agent: Agent = AGENT) -> dict[str, Any]:
    return first_update(agent, "Eres Sofía.", offered(agent), 200)


def test_turn_taking_is_ours_in_every_update_and_with_either_detector() -> None:
    for agent in (AGENT, SEMANTIC):
        for update in (first(agent), listening_update(agent, 500)):
            detection = update["audio"]["input"]["turn_detection"]  # type: ignore[index]
            assert detection["create_response"] is False
            assert detection["interrupt_response"] is False


def test_both_formats_stand_in_every_update() -> None:
    for update in (first(), listening_update(AGENT, 500)):
        assert update["type"] == "realtime"
        assert update["audio"]["input"]["format"] == PCMU  # type: ignore[index]
        assert update["audio"]["output"]["format"] == PCMU  # type: ignore[index]


def test_the_pause_is_the_one_asked_for_and_nothing_times_out() -> None:
    detection = first()["audio"]["input"]["turn_detection"]
    assert (detection["silence_duration_ms"], detection["idle_timeout_ms"]) == (200, None)
    later: Any = listening_update(AGENT, 500)
    assert later["audio"]["input"]["turn_detection"]["silence_duration_ms"] == 500


def test_the_semantic_detector_has_eagerness_instead_of_a_pause() -> None:
    detection = first(SEMANTIC)["audio"]["input"]["turn_detection"]
    assert detection["type"] == "semantic_vad"
    assert "silence_duration_ms" not in detection


def test_nothing_is_traced_and_tools_are_the_agents() -> None:
    session = first()
    assert session["tracing"] is None
    assert {tool["name"] for tool in session["tools"]} == {tool.name for tool in offered(AGENT)}


def test_only_models_that_know_it_are_told_how_hard_to_think() -> None:
    assert first(replace(AGENT, model="gpt-realtime-2.1"))["reasoning"] == {"effort": "low"}
    assert "reasoning" not in first(replace(AGENT, model="gpt-realtime"))
