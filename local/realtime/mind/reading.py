"""A transcript as outcome analysis sends it, read back: who said what in which turn, and what tools were called."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.agents.folding import folded

_TURN = re.compile(r"^\[(\d+)\] (SOFIA|PERSONA): (.*?)(?: \[interrumpida\])?$", re.MULTILINE)
_TOOL = re.compile(r"^(\w+) (\{.*\})$", re.MULTILINE)
_SENTENCE = re.compile(r"[^.!?¡¿…]+")


@dataclass(frozen=True, slots=True)
class Quote:
    """A sentence of the callee's and the turn it stands in."""

    turn: int
    text: str

    @property
    def folded(self) -> str:
        return folded(self.text)


@dataclass(frozen=True, slots=True)
class Reading:
    """`sentences` are the callee's, in order; `agent` is what was heard of Sofia, turn by turn."""

    sentences: tuple[Quote, ...]
    agent: tuple[str, ...]
    tools: tuple[tuple[str, Mapping[str, Any]], ...]

    @property
    def everything(self) -> str:
        """All that the callee said, folded."""
        return " . ".join(sentence.folded for sentence in self.sentences)

    def says(self, pattern: str) -> bool:
        return self.where(pattern) is not None

    def where(self, pattern: str, unless: str | None = None) -> Quote | None:
        """The callee's first sentence in which `pattern` stands and `unless` does not."""
        for sentence in self.sentences:
            text = sentence.folded
            if re.search(pattern, text) and not (unless and re.search(unless, text)):
                return sentence
        return None

    def tool(self, name: str) -> Mapping[str, Any] | None:
        """The arguments of the last call of a tool."""
        return next((given for called, given in reversed(self.tools) if called == name), None)


def read(text: str) -> Reading:
    """The user message of outcome analysis."""
    talk, _, tools = text.partition("</transcripcion>")
    sentences: list[Quote] = []
    agent: list[str] = []
    for number, who, words in _TURN.findall(talk):
        if who == "SOFIA":
            agent.append(words)
            continue
        parts = [part.strip(" ,;:") for part in _SENTENCE.findall(words)]
        sentences += [Quote(int(number), part) for part in parts if part]
    called = tuple((name, json.loads(given)) for name, given in _TOOL.findall(tools))
    return Reading(tuple(sentences), tuple(agent), called)
