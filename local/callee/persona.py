"""The people the twin can call: the persona file, read strictly.

The head of `personas.yaml` explains every field. Anything it does not name is refused, so that a
misspelt check cannot pass by being ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from local.callee.matching import Expected, Level, Named, NamedPattern, Pattern
from local.errors import TwinError
from local.speech.noise import NoiseKind

OWN_FILE = Path(__file__).with_name("personas.yaml")
"""The project's own personas."""


class UnknownPersona(TwinError):
    """No persona, or several, have the id; the text lists them."""


class PersonaFileUnusable(TwinError):
    """The file cannot be read as personas; the message names the persona and the field."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AnsweredBy(StrEnum):
    HUMAN = "human"
    NETWORK_VOICEMAIL = "network_voicemail"
    IVR = "ivr"
    CALL_SCREENER = "call_screener"


class When(StrEnum):
    """What a turn waits for."""

    FIRST = "first"
    AFTER_AGENT = "after_agent"
    INTERRUPT = "interrupt"
    NO_WAIT = "no_wait"


class SoundKind(StrEnum):
    BEEP = "beep"
    HAIR_DRYER = "hair_dryer"
    HOLD_MUSIC = "hold_music"
    RINGING = "ringing"


class Addressee(StrEnum):
    AGENT = "agent"
    ROOM = "room"


class Consent(_Part):
    basis: str
    source: str
    at: date


class PersonaLead(_Part):
    """What the system knows before it dials."""

    contact_name: str
    business_name: str
    phone: str = Field(pattern=r"^\+[1-9]\d{6,14}$")
    municipality: str
    subdivision: str
    timezone: str
    consent: Consent


class Channel(_Part):
    noise: NoiseKind = NoiseKind.NONE
    snr_db: float = 30
    barge_in: bool = False
    one_way: bool = False


class Turn(_Part):
    """One thing the person does: says a line, makes a sound, or is silent."""

    say: str | None = None
    sound: SoundKind | None = None
    silence: int | None = Field(default=None, gt=0)
    ms: int | None = Field(default=None, gt=0)
    when: When | None = None
    at_ms: int | None = Field(default=None, ge=0)
    to: Addressee = Addressee.AGENT
    expect: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        if sum(each is not None for each in (self.say, self.sound, self.silence)) != 1:
            raise ValueError("a turn has exactly one of `say`, `sound` and `silence`")
        if (self.sound is None) != (self.ms is None):
            raise ValueError("`sound` needs `ms`, and only `sound` has it")
        if (self.when is When.INTERRUPT) != (self.at_ms is not None):
            raise ValueError("`when: interrupt` needs `at_ms`, and only that has it")
        return self


class MustSay(_Part):
    id: str
    any: tuple[Pattern, ...] = ()
    all: tuple[Pattern, ...] = ()
    within_agent_turn: int | None = Field(default=None, ge=1)
    after_utterance: int | None = Field(default=None, ge=0)
    level: Level = Level.HARD

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not self.any and not self.all:
            raise ValueError("a check needs `any` or `all`")
        return self


class MustNotSay(_Part):
    id: str
    any: tuple[Pattern, ...] = Field(min_length=1)
    after_utterance: int | None = Field(default=None, ge=0)
    level: Level = Level.HARD


class RequiredTool(_Part):
    name: str
    args: Mapping[str, Expected] = Field(default_factory=dict)
    by_utterance: int | None = Field(default=None, ge=0)
    level: Level = Level.HARD


class ToolExpectations(_Part):
    """`level` is that of `order`."""

    required: tuple[RequiredTool, ...] = ()
    forbidden: tuple[Named, ...] = ()
    order: tuple[str, ...] = ()
    level: Level = Level.HARD


class FinalState(_Part):
    suppressed: bool | None = None
    active_callbacks: int | None = Field(default=None, ge=0)
    level: Level = Level.HARD


class Limits(_Part):
    """None sets no limit."""

    sentences_per_turn_max: int | None = None
    words_per_turn_max: int | None = None
    questions_per_turn_max: int | None = None
    agent_turns_max: int | None = None
    barge_in_stop_ms_max: int | None = None
    end_call_exactly_once: bool | None = None
    level: Level = Level.HARD


class Expectations(_Part):
    outcome: Named | None = None
    outcome_ok: tuple[str, ...] = ()
    flags: tuple[Named, ...] = ()
    must_say: tuple[MustSay, ...] = ()
    must_not_say: tuple[MustNotSay, ...] = ()
    must_not_store: tuple[NamedPattern, ...] = ()
    tools: ToolExpectations = ToolExpectations()
    extract: Mapping[str, Expected] = Field(default_factory=dict)
    final_state: FinalState = FinalState()
    limits: Limits = Limits()
    judge: tuple[str, ...] = ()


class Persona(_Part):
    id: str
    name: str
    business: str
    lead: PersonaLead
    call_at: AwareDatetime
    answered_by: AnsweredBy
    mood: str = ""
    knowledge: str = ""
    goal: str = ""
    behaviour: tuple[str, ...] = ()
    language: str = "es"
    channel: Channel = Channel()
    facts: Mapping[str, Any] = Field(default_factory=dict)
    turns: tuple[Turn, ...] = Field(min_length=1)
    expect: Expectations

    @model_validator(mode="after")
    def _only_the_opening_is_first(self) -> Self:
        if any(turn.when is When.FIRST for turn in self.turns[1:]):
            raise ValueError("only the first of the `turns` can be `when: first`")
        return self


class PersonaTenant(_Part):
    """The fixture tenant of every persona in a file. Sofia keeps no sound and leaves no messages: a file that wants
    another `recording` or `voicemail_policy` is refused rather than ignored."""

    agent_name: str
    company: str
    product: str
    human_name: str
    human_hours: str
    contact_phone_spoken: str
    website: str
    privacy_email: str
    languages: tuple[str, ...]
    recording: Literal["transcript_only"]
    voicemail_policy: Literal["hang_up"]
    price_facts: tuple[str, ...]
    never_say: tuple[str, ...]
    opening_reference: str


class PersonaFile(_Part):
    schema_version: Literal[1]
    tenant: PersonaTenant
    common_expect: Expectations
    personas: tuple[Persona, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        ids = [persona.id for persona in self.personas]
        if repeated := {each for each in ids if ids.count(each) > 1}:
            raise ValueError(f"two personas have the id {', '.join(sorted(repeated))}")
        return self

    def persona(self, persona_id: str) -> Persona:
        """The persona of that id, or the only one whose id begins with it (`p01`)."""
        exact = [each for each in self.personas if each.id == persona_id]
        found = exact or [each for each in self.personas if each.id.startswith(persona_id)]
        if len(found) != 1:
            known = ", ".join(each.id for each in self.personas)
            reason = "several personas" if found else "no persona"
            raise UnknownPersona(f"{reason} with the id {persona_id!r}; there are {known}")
        return found[0]


def load_personas(path: Path = OWN_FILE) -> PersonaFile:
    """Read a persona file. Raises `PersonaFileUnusable`, which names the file, persona and
    field."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PersonaFileUnusable(f"{path}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise PersonaFileUnusable(f"{path}: is not YAML: {error}") from error
    if not isinstance(content, dict):
        raise PersonaFileUnusable(f"{path}: expected `schema_version`, `tenant`, `personas` ...")
    try:
        return PersonaFile.model_validate(content)
    except ValidationError as error:
        problems = "\n".join(
            f"  {_place(content, each['loc'])}: {each['msg']}" for each in error.errors()
        )
        raise PersonaFileUnusable(f"{path}: not a persona file:\n{problems}") from error


def _place(content: Mapping[str, Any], location: tuple[int | str, ...]) -> str:
    """`personas[p03-mercedes].turns[2].at_ms` for pydantic's `('personas', 2, 'turns', 2,
    'at_ms')`."""
    place = ""
    for depth, part in enumerate(location):
        if isinstance(part, int):
            name: object = part
            if depth == 1 and location[0] == "personas":
                persona = content["personas"][part]
                name = persona.get("id", part) if isinstance(persona, dict) else part
            place += f"[{name}]"
        elif part[:1].islower():
            place += f".{part}" if place else part
    return place or "the file"
