"""All that is known of a call in talk, and the one place where its phase changes."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from enum import StrEnum

from media_service.engine.interruption import Interruption
from media_service.engine.opening import Opening
from media_service.engine.playout import Playout
from media_service.engine.reply_gate import ReplyGate
from media_service.engine.turns import TurnBook
from shared.domain.agent import Limits, TurnTaking
from shared.domain.conversation import CloseCause, Conversation, ToolUse, Turn
from shared.domain.opening_clip import OpeningClip

log = logging.getLogger(__name__)


class Phase(StrEnum):
    """Who may do what. OPENING: the fixed part; LISTENING: the callee's turn; THINKING: a reply was asked for;
    SPEAKING: Sofia's sound is on its way; CLOSING: the hang-up was ordered; OVER: nothing follows."""

    OPENING = "opening"
    LISTENING = "listening"
    THINKING = "thinking"
    SPEAKING = "speaking"
    CLOSING = "closing"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class GuidanceTexts:
    """The trailing system items by which the machine tells the model what the moment needs."""

    name_question: str
    nudges: tuple[str, ...]
    silence_goodbye: str
    time_goodbye: str
    closing_goodbye: str
    soft_limit: str
    recovery: str
    opt_out_heard: str
    screener: str


@dataclass(frozen=True, slots=True)
class CallPlan:
    """What the machine must know of a call before it begins. `history` is set where a call is taken over."""

    call_id: str
    turn_taking: TurnTaking
    limits: Limits
    clip: OpeningClip
    lead_facts: str
    guidance: GuidanceTexts
    history: Conversation | None = None


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that the model called; `arguments` as it wrote them."""

    call_id: str
    name: str
    arguments: str


@dataclass(slots=True)
class ToolDesk:
    """Tool calls of this call: what a reply announced, what waits for a verdict on the callee's words, what runs, and
    whether the results ask for words. `matched` are the calls that our own text matcher made; the model is not given
    their results. `opt_out_asked`: the model called that tool itself."""

    announced: dict[str, list[ToolCall]] = field(default_factory=dict)
    held: list[ToolCall] = field(default_factory=list)
    running: dict[str, str] = field(default_factory=dict)
    matched: set[str] = field(default_factory=set)
    reply_owed: bool = False
    opt_out_asked: bool = False

    def forget(self) -> None:
        """The session that called them is gone."""
        self.announced.clear()
        self.held.clear()
        self.running.clear()
        self.reply_owed = False


@dataclass(slots=True)
class Closing:
    """The end of a call. `cause` is set once it was ordered, `use` if by the tool."""

    cause: CloseCause | None = None
    use: ToolUse | None = None

    @property
    def is_armed(self) -> bool:
        return self.cause is not None

    def arm(self, cause: CloseCause, use: ToolUse | None = None) -> None:
        self.cause, self.use = cause, use

    def disarm(self) -> None:
        """The callee is not done yet: what ordered the end leaves no trace."""
        self.cause = self.use = None


@dataclass(slots=True)
class Talk:
    """The state of one call. `cut_off`: the model's session was lost in the middle of the callee's words;
    `noisy`: what was heard last had no words."""

    plan: CallPlan
    opening: Opening
    playout: Playout = field(default_factory=Playout)
    gate: ReplyGate = field(default_factory=ReplyGate)
    book: TurnBook = field(default_factory=TurnBook)
    tools: ToolDesk = field(default_factory=ToolDesk)
    closing: Closing = field(default_factory=Closing)
    interruption: Interruption | None = None
    phase: Phase = Phase.OPENING
    callee_speaking: bool = False
    cut_off: bool = False
    noisy: bool = False
    nudges: int = 0
    patient: bool = False
    reply_items: dict[str, list[str]] = field(default_factory=dict)
    recoveries: int = 0
    audio_base_ms: float = 0.0
    sessions: int = 0
    opted_out: bool = False
    human_words: int = 0
    item_count: int = 0
    turns: list[Turn] = field(default_factory=list)
    first_callee_end_ms: int | None = None
    first_sound_ms: int | None = None
    opening_item: str | None = None

    def enter(self, phase: Phase) -> None:
        """Change the phase; nothing leaves OVER."""
        if phase is self.phase or self.phase is Phase.OVER:
            return
        log.debug("phase changed", extra={"phase": phase.value, "call_id": self.plan.call_id})
        self.phase = phase

    def new_item_id(self, kind: str) -> str:
        """A fresh id for an item of ours, within the model's 32 characters."""
        self.item_count += 1
        return f"{kind}-{self.sessions}-{self.item_count}"

    @property
    def may_speak_freely(self) -> bool:
        """Whether the model may be asked for words: never before the opening began, which comes first by law."""
        return self.opening.has_begun and self.phase not in (Phase.CLOSING, Phase.OVER)

    @property
    def is_sofias_turn(self) -> bool:
        """Something of hers is to be said, is being made, or was ordered."""
        return self.gate.is_busy or not self.playout.is_idle or bool(self.tools.running)
