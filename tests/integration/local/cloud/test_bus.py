"""Rules of the bus: what they let through, and events that a function refuses."""

from __future__ import annotations

from typing import Any

from tests.integration.local.cloud.stack import Stack


async def test_a_rule_lets_through_only_what_its_pattern_wants(stack: Stack) -> None:
    stack.publish(
        ("sofia", "call.ended", {"minutes": 2}),
        ("sofia", "call.ended", {"minutes": 1}),
        ("sofia", "call.analysed", {"minutes": 2}),
        ("somebody", "call.ended", {"minutes": 2}),
    )
    await stack.cloud.settle()
    (event,) = stack.book.events["bus"]
    assert (event["source"], event["detail-type"]) == ("sofia", "call.ended")
    assert event["detail"] == {"minutes": 2}
    assert set(event) >= {"version", "id", "account", "time", "region", "resources"}


async def test_an_event_that_is_refused_is_tried_three_times(stack: Stack) -> None:
    def refuse(event: Any) -> None:
        raise ValueError("boom")

    stack.book.behaviours["bus"] = refuse
    stack.publish(("sofia", "call.ended", {"minutes": 2}))
    await stack.cloud.settle()
    assert stack.cloud.failures == {"BusFn": 3}
    assert len({event["id"] for event in stack.book.events["bus"]}) == 1
