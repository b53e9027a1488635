"""What became of a call, in the terms of the persona file: the input of the expectation checks.

Names of tools, fields and outcomes are the canonical ones of the persona file; whoever fills this
in maps the product's own names to them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from local.callee.account import Account


class Who(StrEnum):
    AGENT = "agent"
    CALLEE = "callee"


@dataclass(frozen=True, slots=True)
class ReportedTurn:
    """One turn. `heard` is what reached the other side; what was cut off was not said.

    Times are those of the callee's account. `utterance` numbers the callee's scripted lines from 1; None for the agent
    and for anything that is no scripted line. `interrupted` is the agent's: it was cut short. `to_room` and `cut_in`
    (begun while the agent spoke) are the callee's.
    """

    who: Who
    heard: str
    started_ms: int
    utterance: int | None = None
    interrupted: bool = False
    ended_ms: int | None = None
    to_room: bool = False
    cut_in: bool = False


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A tool call, at a time of the callee's account. `utterances_before` is how many scripted lines had begun by
    then; `done` is false where it was refused or failed."""

    name: str
    arguments: Mapping[str, object]
    at_ms: int
    utterances_before: int
    done: bool = True


@dataclass(frozen=True, slots=True)
class StoredText:
    """A text that outlives the call, other than the raw transcript; `place` says where."""

    place: str
    text: str


@dataclass(frozen=True, slots=True)
class CallReport:
    """A call that has ended and been analysed.

    `turns` are in order of their start. `extracted` holds the stored fields, nested or with dotted
    names. `suppressed` and `active_callbacks` are the state after processing; None if unknown.
    """

    turns: tuple[ReportedTurn, ...]
    tools: tuple[ToolUse, ...] = ()
    outcome: str | None = None
    flags: frozenset[str] = frozenset()
    extracted: Mapping[str, object] = field(default_factory=dict)
    suppressed: bool | None = None
    active_callbacks: int | None = None
    stored: tuple[StoredText, ...] = ()
    barge_in_stops_ms: tuple[int | None, ...] = ()
    """For each time the callee cut in: until the agent's sound stopped; None if it never did."""

    @property
    def agent_turns(self) -> tuple[ReportedTurn, ...]:
        """Those of which something was heard; the persona file counts these from 1."""
        return tuple(turn for turn in self.turns if turn.who is Who.AGENT and turn.heard.strip())


def in_order(agent_turns: Sequence[ReportedTurn], account: Account) -> tuple[ReportedTurn, ...]:
    """The agent's turns and the callee's own lines, by start; the agent's first if both are
    equal."""
    own = [
        ReportedTurn(
            Who.CALLEE,
            each.text,
            each.start_ms,
            each.utterance,
            ended_ms=each.end_ms,
            to_room=each.to_room,
            cut_in=each.cut_in,
        )
        for each in account.own_speech
        if each.is_speech
    ]
    return tuple(sorted([*agent_turns, *own], key=lambda turn: turn.started_ms))


def utterances_begun(account: Account, at_ms: int) -> int:
    """How many scripted lines the callee had begun by `at_ms`."""
    return sum(each.utterance is not None and each.start_ms <= at_ms for each in account.own_speech)
