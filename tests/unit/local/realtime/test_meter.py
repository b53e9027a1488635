"""What a request costs, and what of it an earlier request has paid for."""

from __future__ import annotations

from typing import Any

from local.realtime.conversation import Item
from local.realtime.meter import Meter, request_blocks

INSTRUCTIONS = "i" * 4 * 640
TOOLS: list[dict[str, Any]] = [{"type": "function", "name": "n" * 4 * 128}]


def message(number: int, role: str = "user", tokens: int = 64) -> Item:
    return Item(f"item_{number}", "message", role=role, text=str(number % 10) * 4 * tokens)


ITEMS = [message(1), message(2, "assistant"), message(3)]


def cached(meter: Meter, items: list[Item], instructions: str = INSTRUCTIONS) -> int:
    usage = meter.usage(request_blocks(instructions, TOOLS, items), [])
    details = usage["input_token_details"]
    assert details["cached_tokens"] == sum(details["cached_tokens_details"].values())
    return int(details["cached_tokens"])


def total(items: list[Item]) -> int:
    return sum(block.tokens for block in request_blocks(INSTRUCTIONS, TOOLS, items))


def test_the_first_request_pays_for_everything() -> None:
    assert cached(Meter(), ITEMS) == 0


def test_the_same_prefix_is_paid_once_in_steps_of_64() -> None:
    meter = Meter()
    cached(meter, ITEMS)
    whole = total(ITEMS)
    assert cached(meter, ITEMS) == whole - whole % 64


def test_new_instructions_break_the_cache() -> None:
    meter = Meter()
    cached(meter, ITEMS)
    assert cached(meter, ITEMS, instructions="x" + INSTRUCTIONS) == 0


def test_a_trailing_system_item_does_not_break_it() -> None:
    meter = Meter()
    cached(meter, ITEMS)
    whole = total(ITEMS)
    assert cached(meter, [*ITEMS, message(4, "system")]) == whole - whole % 64


def test_a_deleted_early_item_breaks_it_from_there() -> None:
    meter = Meter()
    cached(meter, ITEMS)
    assert cached(meter, ITEMS[1:]) == total([]) - total([]) % 64


def test_a_truncated_item_breaks_it_from_there() -> None:
    spoken = Item("item_2", "message", role="assistant", is_audio=True, generated_ms=9_000)
    meter = Meter()
    cached(meter, [message(1), spoken, message(3)])
    spoken.heard_ms = 100
    before = total([message(1)])
    assert cached(meter, [message(1), spoken, message(3)]) == before - before % 64


def test_a_tools_long_answer_costs() -> None:
    answer = Item("item_9", "function_call_output", call_id="call_1", output="x" * 40_000)
    with_it = Meter().usage(request_blocks(INSTRUCTIONS, TOOLS, [*ITEMS, answer]), [])
    without = Meter().usage(request_blocks(INSTRUCTIONS, TOOLS, ITEMS), [])
    assert with_it["input_tokens"] - without["input_tokens"] == 10_000


def test_sound_is_billed_by_who_made_it() -> None:
    heard = Item("item_1", "message", role="user", is_audio=True, sound=bytes(8 * 1_000))
    spoken = Item("item_2", "message", role="assistant", is_audio=True, generated_ms=1_000)
    usage = Meter().usage(request_blocks("", [], [heard, spoken]), [spoken])
    assert usage["input_token_details"]["audio_tokens"] == 10 + 20
    assert usage["output_token_details"]["audio_tokens"] == 20


def test_a_side_request_pays_for_itself_and_leaves_the_conversation_warm() -> None:
    meter = Meter()
    cached(meter, ITEMS)
    aside = meter.usage(request_blocks("a" * 400, [], []), [])
    assert (aside["input_tokens"], aside["input_token_details"]["cached_tokens"]) == (100, 0)
    assert cached(meter, ITEMS) > 0
