"""Who calls and in whose name: an agent is a persona, a tenant's facts, an opening and settings.

Versions never change: publishing writes the next one, and a call keeps the version it was created with.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from shared.domain.errors import InvalidInput


class Duty(StrEnum):
    """What the law wants every called person to hear once (AI Act art. 50; AEPD Circular 1/2023 art. 6)."""

    AI = "ai"
    COMPANY = "company"
    PURPOSE = "purpose"
    TRANSCRIPTION = "transcription"
    RIGHT_TO_OBJECT = "right_to_object"


class InformationChannel(StrEnum):
    EMAIL = "email"
    WHATSAPP = "whatsapp"


class OpeningMode(StrEnum):
    """Who speaks first after the answer."""

    CALLEE_FIRST = "callee_first"
    AGENT_FIRST = "agent_first"


class VadKind(StrEnum):
    SERVER = "server_vad"
    SEMANTIC = "semantic_vad"


@dataclass(frozen=True, slots=True)
class TenantFacts:
    """What Sofia may say of the tenant, and what stands behind her promises.

    A tool whose promise nobody could keep is not offered to the model: no transfer without `transfer_number`, no
    information without a channel, no privacy request without `privacy_email`.
    """

    company: str
    product: str
    human_name: str
    human_hours: str
    contact_phone_spoken: str
    website: str
    privacy_email: str
    price_facts: tuple[str, ...]
    never_say: tuple[str, ...] = ()
    languages: tuple[str, ...] = ("es",)
    information_channels: tuple[InformationChannel, ...] = ()
    transfer_number: str | None = None


@dataclass(frozen=True, slots=True)
class DutyPhrase:
    """The words of the opening by which one duty is fulfilled."""

    duty: Duty
    words: str


@dataclass(frozen=True, slots=True)
class Opening:
    """The fixed part of the opening and where each duty stands in it.

    `approved_at` is set once a person of the tenant has approved this very text; no call without it.
    """

    text: str
    duties: tuple[DutyPhrase, ...]
    approved_at: datetime | None = None

    def __post_init__(self) -> None:
        said = {phrase.duty for phrase in self.duties}
        missing = [duty.value for duty in Duty if duty not in said]
        if missing:
            raise InvalidInput(
                "opening.duties", f"name the words that fulfil: {', '.join(missing)}"
            )
        for phrase in self.duties:
            if phrase.words not in self.text:
                raise InvalidInput(
                    f"opening.duties.{phrase.duty}",
                    "these words do not stand in the opening's text",
                )


@dataclass(frozen=True, slots=True)
class TurnTaking:
    """When somebody's turn begins and ends. Times in milliseconds; sources in docs/decisions.md."""

    vad: VadKind = VadKind.SERVER
    threshold: float = 0.5
    prefix_padding_ms: int = 300
    silence_ms: int = 500
    eagerness: str = "auto"
    opening_mode: OpeningMode = OpeningMode.CALLEE_FIRST
    opening_wait_ms: int = 1_200
    long_first_utterance_ms: int = 2_500
    false_interruption_ms: int = 600
    nudge_after_ms: tuple[int, ...] = (4_000, 8_000)
    give_up_after_ms: int = 12_000


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one call."""

    soft_s: int = 240
    hard_s: int = 480
    ring_s: int = 25
    max_output_tokens: int = 1_024


@dataclass(frozen=True, slots=True)
class Agent:
    """One immutable version of an agent."""

    tenant_id: str
    agent_id: str
    version: int
    agent_name: str
    facts: TenantFacts
    opening: Opening
    model: str = "gpt-realtime-2.1"
    voice: str = "marin"
    transcription_model: str = "gpt-realtime-whisper"
    language: str = "es"
    turn_taking: TurnTaking = field(default_factory=TurnTaking)
    limits: Limits = field(default_factory=Limits)
