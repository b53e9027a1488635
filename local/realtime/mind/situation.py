"""What the mind knows at one moment, read afresh from the conversation: facts, lead, what was said and done."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from local.realtime.mind.port import Called, MindView, Role, Said
from shared.agents.folding import folded

_FACT = re.compile(
    r"^- (Empresa|Producto|Persona de contacto|Privacidad|Web|Precio): (.+)$",
    re.MULTILINE,
)
_LEAD = re.compile(
    r"^(Ahora|Zona horaria|Teléfono marcado|Nombre|Negocio|Permiso): (.+)$",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Situation:
    """A view with the readings that the rules need."""

    view: MindView

    @cached_property
    def facts(self) -> dict[str, list[str]]:
        facts: dict[str, list[str]] = {}
        for name, value in _FACT.findall(self.view.instructions):
            facts.setdefault(name, []).append(value.strip())
        return facts

    def fact(self, name: str) -> str:
        return self.facts.get(name, [""])[0]

    @property
    def company(self) -> str:
        return self.fact("Empresa")

    @property
    def product(self) -> str:
        """What is sold, in its first few words."""
        return self.fact("Producto").split(",")[0]

    @property
    def human(self) -> str:
        """Who knows more than Sofia and calls back."""
        return self.fact("Persona de contacto")

    @cached_property
    def lead(self) -> dict[str, str]:
        for entry in self.view.conversation:
            if isinstance(entry, Said) and entry.role is Role.SYSTEM and "Ahora:" in entry.text:
                return dict(_LEAD.findall(entry.text))
        return {}

    @property
    def now(self) -> datetime:
        text = self.lead.get("Ahora", "2026-01-01T10:00+01:00").split(" ")[0]
        return datetime.fromisoformat(text).astimezone(ZoneInfo(self.zone))

    @property
    def zone(self) -> str:
        return self.lead.get("Zona horaria", "Europe/Madrid")

    @cached_property
    def said(self) -> list[Said]:
        return [entry for entry in self.view.conversation if isinstance(entry, Said)]

    @cached_property
    def mine(self) -> str:
        """All that Sofia has said, folded."""
        return " ".join(folded(s.text) for s in self.said if s.role is Role.ASSISTANT)

    @cached_property
    def my_sentences(self) -> frozenset[str]:
        """Each sentence that Sofia has said, folded."""
        texts = [folded(s.text) for s in self.said if s.role is Role.ASSISTANT]
        return frozenset(
            part.strip() for text in texts for part in re.split(r"(?<=[.!?…])\s+", text)
        )

    @cached_property
    def last_mine(self) -> str:
        """What Sofia said last, folded."""
        texts = [folded(s.text) for s in self.said if s.role is Role.ASSISTANT]
        return texts[-1] if texts else ""

    @cached_property
    def theirs(self) -> list[str]:
        """The callee's utterances, folded."""
        return [folded(s.text) for s in self.said if s.role is Role.USER]

    @cached_property
    def last_words(self) -> str:
        """What the callee said since Sofia spoke last, as heard."""
        words: list[str] = []
        for entry in reversed(self.view.conversation):
            if isinstance(entry, Called) or entry.role is Role.ASSISTANT:
                break
            if entry.role is Role.USER:
                words.insert(0, entry.text)
        return " ".join(words).strip()

    @cached_property
    def last_spoken_or_done(self) -> Said | Called | None:
        """The last entry that is no system item."""
        for entry in reversed(self.view.conversation):
            if isinstance(entry, Called) or entry.role is not Role.SYSTEM:
                return entry
        return None

    @cached_property
    def heard(self) -> str:
        """The same, folded."""
        return folded(self.last_words)

    @cached_property
    def everything(self) -> str:
        return " . ".join(self.theirs)

    @cached_property
    def calls(self) -> list[Called]:
        return [entry for entry in self.view.conversation if isinstance(entry, Called)]

    def called(self, name: str) -> Called | None:
        """The latest successful call of a tool."""
        done = [c for c in self.calls if c.name == name and _succeeded(c)]
        return done[-1] if done else None

    @property
    def is_settled(self) -> bool:
        """The next step is agreed: a call or something in writing."""
        return bool(self.called("schedule_callback") or self.called("send_information"))

    def may(self, tool: str) -> bool:
        return any(offer.name == tool for offer in self.view.tools)

    def fresh(self, *options: str) -> str:
        """The first of these that Sofia has not said yet, else the last."""
        for option in options:
            if folded(option) not in self.mine:
                return option
        return options[-1]

    def has_said(self, pattern: str) -> bool:
        return re.search(pattern, self.mine) is not None

    def hears(self, pattern: str) -> bool:
        return re.search(pattern, self.heard) is not None


def result(called: Called) -> dict[str, object]:
    """A tool's result."""
    try:
        body = json.loads(called.output or "{}")
    except json.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def _succeeded(called: Called) -> bool:
    return called.output is not None and bool(result(called).get("ok"))
