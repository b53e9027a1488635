"""Usage figures: what a request really holds, less the prefix that an earlier request of the session had already."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import takewhile
from typing import Any

from local.realtime.conversation import Item

CACHE_STEP = 64
"""Caches move in multiples of this many tokens."""
_REMEMBERED = 8
"""Prefixes of so many requests stay warm: a side request does not cool the conversation's."""
MS_PER_HEARD_TOKEN = 100
MS_PER_SPOKEN_TOKEN = 50


class Kind(StrEnum):
    TEXT = "text"
    AUDIO = "audio"


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a request. Two blocks with the same `key` are the same content."""

    key: int
    kind: Kind
    tokens: int


def tokens(text: str) -> int:
    """About four characters a token."""
    return len(text) // 4


def request_blocks(
    instructions: str, tools: Sequence[dict[str, Any]], items: Sequence[Item]
) -> tuple[Block, ...]:
    """What the model reads, in the order in which it reads."""
    blocks = [_text("instructions", instructions)]
    if tools:
        blocks.append(_text("tools", json.dumps(list(tools), ensure_ascii=False)))
    for item in items:
        blocks += _item_blocks(item)
    return tuple(blocks)


class Meter:
    """One session's usage."""

    def __init__(self) -> None:
        self._requests: deque[tuple[Block, ...]] = deque(maxlen=_REMEMBERED)

    def usage(self, request: tuple[Block, ...], output: Sequence[Item]) -> dict[str, Any]:
        """The `usage` of a response to the request."""
        cached = _split(request, self._shared_tokens(request))
        self._requests.append(request)
        text_in, audio_in = _sum(request, Kind.TEXT), _sum(request, Kind.AUDIO)
        text_out = sum(tokens(item.text + item.arguments) for item in output)
        audio_out = sum(item.generated_ms // MS_PER_SPOKEN_TOKEN for item in output)
        return {
            "total_tokens": text_in + audio_in + text_out + audio_out,
            "input_tokens": text_in + audio_in,
            "output_tokens": text_out + audio_out,
            "input_token_details": {
                "text_tokens": text_in,
                "audio_tokens": audio_in,
                "image_tokens": 0,
                "cached_tokens": sum(cached.values()),
                "cached_tokens_details": {
                    "text_tokens": cached[Kind.TEXT],
                    "audio_tokens": cached[Kind.AUDIO],
                    "image_tokens": 0,
                },
            },
            "output_token_details": {"text_tokens": text_out, "audio_tokens": audio_out},
        }

    def _shared_tokens(self, request: tuple[Block, ...]) -> int:
        shared = max((_shared(before, request) for before in self._requests), default=0)
        return shared - shared % CACHE_STEP


def _shared(before: Sequence[Block], now: Sequence[Block]) -> int:
    pairs = takewhile(lambda pair: pair[0] == pair[1], zip(before, now, strict=False))
    return sum(block.tokens for block, _ in pairs)


def _split(request: Sequence[Block], cached: int) -> dict[Kind, int]:
    """The first `cached` tokens of a request by kind."""
    split = dict.fromkeys(Kind, 0)
    for block in request:
        taken = min(block.tokens, cached)
        split[block.kind] += taken
        cached -= taken
    return split


def _sum(request: Sequence[Block], kind: Kind) -> int:
    return sum(block.tokens for block in request if block.kind is kind)


def _text(what: str, text: str) -> Block:
    return Block(hash((what, text)), Kind.TEXT, tokens(text))


def _item_blocks(item: Item) -> list[Block]:
    blocks = []
    text = item.kept_text + (item.name or "") + item.arguments + (item.output or "")
    if text:
        blocks.append(_text(f"{item.kind} {item.role}", text))
    if item.is_audio:
        each_ms = MS_PER_HEARD_TOKEN if item.role == "user" else MS_PER_SPOKEN_TOKEN
        key = hash((item.id, item.audio_ms))
        blocks.append(Block(key, Kind.AUDIO, item.audio_ms // each_ms))
    return blocks
