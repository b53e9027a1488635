"""The callee's own account of a call: what it heard and said, when, and who cut in on whom.

Times are milliseconds from the answer, at the callee's ear; sound counts in frames of 20 ms.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HeardSpeech:
    """The agent's sound from one end of a pause to the next: about one turn."""

    start_ms: int
    end_ms: int
    heard_bytes: int
    """All sound from start to end, pauses included."""


@dataclass(frozen=True, slots=True)
class OwnSpeech:
    """One thing the callee did. `utterance` counts the lines of the script from 1; None for what
    is no line: a noise, or "¿Oiga?"."""

    utterance: int | None
    text: str
    start_ms: int
    end_ms: int
    to_room: bool
    cut_in: bool
    """Begun while the agent was speaking."""
    is_speech: bool = True
    """False for noises."""


@dataclass(frozen=True, slots=True)
class BargeIn:
    """The callee began to speak over the agent."""

    utterance: int | None
    start_ms: int
    agent_stopped_ms: int | None
    """From `start_ms` until the agent's sound stopped, with the call at the latest; None as long as it has not."""


@dataclass(frozen=True, slots=True)
class AgentCutIn:
    """The agent began to speak over the callee."""

    utterance: int | None
    start_ms: int


@dataclass(frozen=True, slots=True)
class Gap:
    """What the callee perceives as the agent's time to answer."""

    utterance: int | None
    silence_ms: int


@dataclass(frozen=True, slots=True)
class Account:
    """Everything the callee knows of the call, so far or in full."""

    persona_id: str
    answered: bool
    agent_speech: tuple[HeardSpeech, ...]
    own_speech: tuple[OwnSpeech, ...]
    barge_ins: tuple[BargeIn, ...]
    agent_cut_ins: tuple[AgentCutIn, ...]
    gaps: tuple[Gap, ...]
    answer_to_first_sound_ms: int | None
    first_words_to_opening_ms: int | None
    """From the end of the first utterance to the agent's first sound; None without either, or if
    the agent did not wait."""
    script_played: bool
    hung_up_ms: int | None
    """When the callee hung up; None if it did not."""
    ended_ms: int | None
    heard: bytes
    """All sound heard from the answer on (mu-law), so that it can be transcribed afterwards."""
